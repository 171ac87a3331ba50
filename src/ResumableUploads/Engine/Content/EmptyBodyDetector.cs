using System.IO.Pipelines;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Content;

/// <summary>Detects whether a body has content, without consuming any of it.</summary>
internal sealed class EmptyBodyDetector(EngineSettings settings, TimeProvider time, CancellationToken stopping)
{
    /// <summary>Waits for the first byte or the end of the body.</summary>
    /// <returns>True if the body ended without a byte.</returns>
    public async ValueTask<bool> IsEmptyAsync(AppendCommand command, UploadLock uploadLock) =>
        await ReadToFirstByteAsync(command, uploadLock) == BodyEndReason.EndOfBody;

    /// <summary>Waits for the first byte or the end of the body.</summary>
    /// <returns>True if there is a byte; false if the body ended, or the client disconnected, without one.</returns>
    public async ValueTask<bool> HasContentAsync(AppendCommand command, UploadLock uploadLock) =>
        await ReadToFirstByteAsync(command, uploadLock) == BodyEndReason.LimitExceeded;

    private async ValueTask<BodyEndReason> ReadToFirstByteAsync(AppendCommand command, UploadLock uploadLock)
    {
        using var reader = new RequestBodyReader(command.Body, maxLength: 0, digest: null, time, settings, static () => { })
        {
            Connection = command.Connection,
            BodyLength = command.BodyLength ?? long.MaxValue,
        };
        using var stopRegistration = new StopRegistration(reader, uploadLock, stopping);
        while (true)
        {
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return reader.EndReason;
            }
        }
    }
}

using System.IO.Pipelines;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Engine.Content;

/// <summary>Finds out whether a body whose length was not told has no bytes.</summary>
internal sealed class EmptyBodyDetector(EngineSettings settings, TimeProvider time, CancellationToken stopping)
{
    /// <summary>Whether the body ended, and without a byte. It waits for a client that has not sent its end.</summary>
    public async ValueTask<bool> IsEmptyAsync(AppendCommand command, UploadLock uploadLock)
    {
        using var reader = new RequestBodyReader(command.Body, room: 0, digest: null, time, settings, static () => { });
        using var stopRegistration = new StopRegistration(reader, uploadLock, stopping);
        while (true)
        {
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return reader.EndReason == BodyEndReason.EndOfBody;
            }
        }
    }
}

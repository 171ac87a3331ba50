using System.IO.Pipelines;
using ResumableUploads.Engine.Turns;

namespace ResumableUploads.Engine.Content;

/// <summary>Finds out whether a body whose length was not told has no bytes.</summary>
internal sealed class EmptyBody(EngineSettings settings, TimeProvider time, CancellationToken stopping)
{
    /// <summary>Whether the body ended, and without a byte. It waits for a client that has not sent its end.</summary>
    public async ValueTask<bool> IsEmptyAsync(AppendCommand command, Turn turn)
    {
        using var reader = new GuardedReader(command.Body, room: 0, digest: null, time, settings, static () => { });
        using var leaving = new Leaving(reader, turn, stopping);
        while (true)
        {
            ReadResult result = await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return reader.End == ContentEnd.Whole;
            }
        }
    }
}

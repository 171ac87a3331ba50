using System.Text.Json;

namespace ResumableUploads.Cli.Output;

/// <summary>Prints one JSON object per line.</summary>
/// <param name="writer">The standard output.</param>
/// <param name="isQuiet">Whether only warnings and results are printed.</param>
/// <param name="timeProvider">The time provider.</param>
internal sealed class JsonOutput(TextWriter writer, bool isQuiet, TimeProvider timeProvider) : IRunOutput
{
    /// <summary>The time between two events about the progress of the same file.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _lastProgress = new(StringComparer.Ordinal);

    public void Start(int count, long size)
    {
    }

    public void Write(CliEvent entry)
    {
        if (isQuiet && entry.Event is EventKind.Started or EventKind.Progress or EventKind.Retry)
        {
            return;
        }

        string line = JsonSerializer.Serialize(entry, CliJsonContext.Default.CliEvent);
        lock (_lock)
        {
            if (IsDue(entry))
            {
                writer.Write(line + "\n");
                writer.Flush();
            }
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The first progress of a file is where its upload continues.</summary>
    private bool IsDue(CliEvent entry)
    {
        if (entry.Event != EventKind.Progress)
        {
            return true;
        }

        if (_lastProgress.TryGetValue(entry.Path!, out long last) && timeProvider.GetElapsedTime(last) < ProgressInterval)
        {
            return false;
        }

        _lastProgress[entry.Path!] = timeProvider.GetTimestamp();
        return true;
    }
}

namespace ResumableUploads.Cli.Output;

/// <summary>Prints lines without control sequences: results to the standard output, failures and warnings to the standard error.</summary>
internal sealed class PlainOutput(TextWriter output, TextWriter error, bool isQuiet, TimeProvider timeProvider) : IRunOutput
{
    /// <summary>The time between two lines about the progress of the same file.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _lastProgress = new(StringComparer.Ordinal);

    public void Start(int count, long size)
    {
    }

    public void Write(CliEvent entry)
    {
        bool isProblem = entry.Event is EventKind.Failed or EventKind.Warning or EventKind.Retry;
        lock (_lock)
        {
            if (IsWanted(entry) && EventText.Format(entry) is { } line)
            {
                TextWriter writer = isProblem ? error : output;
                writer.WriteLine(line);
                writer.Flush();
            }
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private bool IsWanted(CliEvent entry)
    {
        switch (entry.Event)
        {
            case EventKind.Failed or EventKind.Warning:
                return true;
            case EventKind.Status:
                return true;
            case EventKind.Started:
                _lastProgress[entry.Path!] = timeProvider.GetTimestamp();
                break;
            case EventKind.Progress:
                if (!_lastProgress.TryGetValue(entry.Path!, out long last) || timeProvider.GetElapsedTime(last) < ProgressInterval)
                {
                    return false;
                }

                _lastProgress[entry.Path!] = timeProvider.GetTimestamp();
                break;
            case EventKind.Completed or EventKind.Paused:
                _lastProgress.Remove(entry.Path!);
                break;
            default:
                break;
        }

        return !isQuiet;
    }
}

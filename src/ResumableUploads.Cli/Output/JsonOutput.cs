using System.Text.Json;

namespace ResumableUploads.Cli.Output;

/// <summary>Prints one JSON object per line.</summary>
/// <param name="writer">The standard output.</param>
/// <param name="isQuiet">Whether only warnings and results are printed.</param>
internal sealed class JsonOutput(TextWriter writer, bool isQuiet) : IRunOutput
{
    private readonly Lock _lock = new();

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
            writer.Write(line + "\n");
            writer.Flush();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

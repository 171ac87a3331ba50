using System.Globalization;
using ResumableUploads.Cli.CommandLine;

namespace ResumableUploads.Cli.Output;

/// <summary>Formats events as lines for people. Text from files and servers is escaped.</summary>
internal static class EventText
{
    /// <summary>Returns a line, or null for an event that has none.</summary>
    public static string? Format(CliEvent entry)
    {
        string path = TerminalText.Escape(entry.Path ?? "");
        string message = TerminalText.Escape(entry.Message ?? "");
        return entry.Event switch
        {
            EventKind.Started => $"{path}: uploading{(entry.Size is { } size ? $" {ByteSize.Format(size)}" : "")}",
            EventKind.Progress => $"{path}: {FormatProgress(entry.Offset ?? 0, entry.Size)}",
            EventKind.Retry => string.Create(CultureInfo.InvariantCulture, $"{path}: {message} Retry {entry.Attempt} in {entry.Delay:0.0} s."),
            EventKind.Completed when entry.AlreadyComplete == true => $"{path}: already uploaded",
            EventKind.Completed => $"{path}: uploaded {ByteSize.Format(entry.Size ?? 0)}",
            EventKind.Failed => $"{path}: failed: {message}",
            EventKind.Paused => $"{path}: paused{(entry.Offset > 0 ? $" at {FormatProgress(entry.Offset.Value, entry.Size)}" : "")}{(message.Length > 0 ? $". {message}" : "")}",
            EventKind.Warning => $"{path}: {message}",
            EventKind.Status => $"{path}: {FormatState(entry)}",
            EventKind.Canceled => $"{path}: {FormatCancellation(entry)}",
            _ => FormatSummary(entry),
        };
    }

    public static string FormatProgress(long offset, long? size) => size is { } total
        ? $"{ByteSize.Format(offset)} of {ByteSize.Format(total)} ({Percent(offset, total)})"
        : ByteSize.Format(offset);

    public static string Percent(long offset, long size) => $"{(size == 0 ? 100 : (int)Math.Clamp(100.0 * offset / size, 0, 100))}%";

    private static string FormatState(CliEvent entry) => entry.State switch
    {
        "incomplete" => $"incomplete, {FormatProgress(entry.Offset ?? 0, entry.Size)}",
        "complete" => "complete",
        "uploading" => "another process is uploading it",
        _ => "not started",
    };

    private static string FormatCancellation(CliEvent entry) => entry.State switch
    {
        "canceled" => "canceled",
        "complete" => "complete, so that it was not canceled",
        _ => "nothing to cancel",
    };

    private static string? FormatSummary(CliEvent entry)
    {
        if (entry.CompletedCount is null)
        {
            return null;
        }

        List<string> parts = [$"{entry.CompletedCount} uploaded"];
        if (entry.FailedCount > 0)
        {
            parts.Add($"{entry.FailedCount} failed");
        }

        if (entry.UnfinishedCount > 0)
        {
            parts.Add($"{entry.UnfinishedCount} not finished");
        }

        string advice = entry.ExitCode is (int)Cli.ExitCode.Paused or (int)Cli.ExitCode.Unavailable ? " Run the same command to continue." : "";
        return entry.ExitCode == (int)Cli.ExitCode.Paused ? $"Paused: {string.Join(", ", parts)}.{advice}" : $"{string.Join(", ", parts)}.{advice}";
    }
}

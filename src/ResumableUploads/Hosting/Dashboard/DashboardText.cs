using System.Globalization;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>The texts of the dashboard for numbers, times and states.</summary>
internal static class DashboardText
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Formats a number of bytes, such as <c>1.5 MiB</c>.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(value, unit == 0 ? 0 : 1)} {Units[unit]}");
    }

    /// <summary>Formats a number of uploads and of their bytes.</summary>
    public static string Totals(UploadTotals totals) => string.Create(CultureInfo.InvariantCulture, $"{totals.Count} ({Bytes(totals.Bytes)})");

    /// <summary>Formats a duration in its largest unit. A negative one, after a change of the clock, is zero.</summary>
    public static string Duration(TimeSpan duration)
    {
        (double value, string unit) = duration switch
        {
            { TotalDays: >= 2 } => (duration.TotalDays, "d"),
            { TotalHours: >= 2 } => (duration.TotalHours, "h"),
            { TotalMinutes: >= 2 } => (duration.TotalMinutes, "min"),
            _ => (Math.Max(0, duration.TotalSeconds), "s"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(value)} {unit}");
    }

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Returns the progress of an upload, such as <c>1 MiB of 4 MiB</c>.</summary>
    public static string Progress(ManagedUpload upload) =>
        upload.Length is { } length && length != upload.Offset ? $"{Bytes(upload.Offset)} of {Bytes(length)}" : Bytes(upload.Offset);

    public static string State(ManagedUploadState state) => state switch
    {
        ManagedUploadState.Receiving => "In progress",
        ManagedUploadState.Received => "Received",
        ManagedUploadState.Failed => "Failed",
        ManagedUploadState.DeadLettered => "Dead-lettered",
        _ => "Completed",
    };

    /// <summary>Returns why an upload is in its state.</summary>
    public static string Reason(ManagedUpload upload) => upload switch
    {
        { State: ManagedUploadState.Receiving, IsPart: true } when upload.Offset == upload.Length => "A part of another upload, complete",
        { State: ManagedUploadState.Receiving, IsConcatenation: true } => "Waiting for its parts, or joining them",
        { State: ManagedUploadState.Receiving } => upload.IsAppending ? "Receiving bytes" : "Waiting for the client",
        { State: ManagedUploadState.Received } => upload.IsHandlerRunning ? "The handler is running" : "The handler has not run yet",
        { State: ManagedUploadState.Failed, NextAttempt: { } next } => $"The handler failed ({Attempts(upload)}). It runs again after {Time(next)}.",
        { State: ManagedUploadState.Failed } => $"The handler failed ({Attempts(upload)}). It runs again.",
        { IsClientFault: true } => "The endpoint does not accept the request of the client. It does not run again.",
        { State: ManagedUploadState.DeadLettered } => $"The handler failed ({Attempts(upload)}). It does not run again.",
        _ => "",
    };

    /// <summary>Returns the beginning of the owner, which is a hash after its kind.</summary>
    public static string ShortOwner(string owner) => owner.Length > 16 ? owner[..16] : owner;

    /// <summary>Returns the part of the key that log messages have.</summary>
    public static string ShortKey(ManagedUpload upload) => Engine.Diagnostics.ShortKey.Of(upload.Key);

    /// <summary>Returns the identifier of the row of an upload.</summary>
    public static string RowId(ManagedUpload upload) => $"{upload.Store}|{upload.Key}";

    /// <summary>Returns the text after an action, or null if the names are not those of an action and a status.</summary>
    public static string? Result(string? action, string? status) => (action, status) switch
    {
        ("retry", nameof(UploadActionStatus.Succeeded)) => "The handler runs again, or when the client next asks for the result.",
        ("discard" or "cancel", nameof(UploadActionStatus.Succeeded)) => "The upload was removed.",
        (_, nameof(UploadActionStatus.NotFound)) => "The upload does not exist or has expired.",
        (_, nameof(UploadActionStatus.Busy)) => "The upload is in use. Try again later.",
        (_, nameof(UploadActionStatus.InvalidState)) => "The state of the upload has changed. Nothing was done.",
        _ => null,
    };

    private static string Attempts(ManagedUpload upload) => string.Create(
        CultureInfo.InvariantCulture, $"{upload.HandlerAttempts} {(upload.HandlerAttempts == 1 ? "attempt" : "attempts")}");
}

using ResumableUploads.Infrastructure;

namespace ResumableUploads;

/// <summary>The names by which OpenTelemetry and other listeners subscribe to metrics and traces of resumable uploads.</summary>
public static class ResumableUploadsDiagnostics
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = DiagnosticNames.Meter;

    /// <summary>The name of the activity source.</summary>
    public const string ActivitySourceName = DiagnosticNames.ActivitySource;
}

namespace ResumableUploads.Infrastructure;

/// <summary>The names of the meter, of the activity source and of attributes that several layers use.</summary>
internal static class DiagnosticNames
{
    public const string Meter = "ResumableUploads";
    public const string ActivitySource = "ResumableUploads";

    /// <summary>The protocol that created the upload, or that of the request.</summary>
    public const string Protocol = "resumable_uploads.protocol";

    /// <summary>The route pattern of the endpoint, or the path of the middleware.</summary>
    public const string Route = "http.route";

    public const string Outcome = "resumable_uploads.outcome";
    public const string ErrorType = "error.type";
    public const string StatusCode = "http.response.status_code";
    public const string Store = "resumable_uploads.store";
    public const string State = "resumable_uploads.upload.state";
    public const string Operation = "resumable_uploads.store.operation";
    public const string Directory = "resumable_uploads.directory";
    public const string Location = "resumable_uploads.disk.location";
}

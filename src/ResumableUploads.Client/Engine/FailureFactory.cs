using ResumableUploads.Client.Protocols;

namespace ResumableUploads.Client.Engine;

/// <summary>Creates the exceptions of failed requests.</summary>
/// <param name="endpoint">The reference for responses about an upload that was not created.</param>
internal sealed class FailureFactory(UploadReference endpoint)
{
    public UploadException Create(UploadFailureReason reason, string message, UploadReference? upload, ServerResponse? response, Exception? innerException = null) => new(reason, message, innerException)
    {
        Response = response?.ToResponseMessage(upload ?? endpoint),
        ProblemType = response?.Problem?.Type,
        Upload = upload,
    };

    /// <summary>Creates the exception for a request whose last retry has failed.</summary>
    public UploadException CreateExhausted(int retries, UploadReference? upload, SendResult last)
    {
        string why = last.Interruption?.Message ?? $"status code {last.Response!.StatusCode}{(last.Response.Problem is { } problem ? $": {problem.Detail ?? problem.Title}" : "")}";
        return Create(UploadFailureReason.RetriesExhausted, $"Gave up after {retries} retries without progress ({why}).", upload, last.Response, last.Interruption);
    }
}

using Microsoft.Extensions.Logging;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Diagnostics;

/// <summary>Reports requests that are answered with a problem. Responses of the app are not problems of an upload.</summary>
internal sealed class RefusalReporter(UploadMetrics metrics, ILogger logger)
{
    private const string Unknown = "unknown";

    /// <summary>Reports a response, if it is a problem that the client can still read.</summary>
    public void Report(UploadRequest request, HttpResponseData response)
    {
        if (response.ProblemType is not { } type || request.Aborted.IsCancellationRequested)
        {
            return;
        }

        string problem = GetName(type);
        metrics.RequestRefused(request.Origin, problem, response.StatusCode);
        if (logger.IsEnabled(LogLevel.Information))
        {
            (string key, string owner) = request.Key is { } known ? (ShortKey.Of(known), OwnerKind.Of(known)) : (Unknown, Unknown);
            Log.Refused(logger, response.StatusCode, problem, key, request.Origin.Protocol ?? Unknown, request.Origin.Endpoint ?? Unknown, owner);
        }
    }

    /// <summary>Returns the last part of a problem type.</summary>
    private static string GetName(string type) => type[(type.AsSpan().LastIndexOfAny(':', '#') + 1)..];
}

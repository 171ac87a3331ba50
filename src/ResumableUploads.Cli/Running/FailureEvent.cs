using System.Text.Json;
using ResumableUploads.Cli.Files;
using ResumableUploads.Cli.Output;
using ResumableUploads.Client;

namespace ResumableUploads.Cli.Running;

/// <summary>Describes failures.</summary>
internal static class FailureEvent
{
    public static CliEvent Create(UploadItem item, Exception exception)
    {
        bool isFileError = exception is IOException or UnauthorizedAccessException;
        var failed = new CliEvent(EventKind.Failed)
        {
            Path = item.DisplayPath,
            Size = item.Length,
            Reason = isFileError ? "io-error" : "error",
            Message = isFileError ? exception.Message : $"{exception.GetType().Name}: {exception.Message}",
        };
        return exception is not UploadException e ? failed : failed with
        {
            Reason = JsonNamingPolicy.KebabCaseLower.ConvertName(e.Reason.ToString()),
            StatusCode = (int?)e.StatusCode,
            ProblemType = e.ProblemType,
            Message = Describe(e),
            Location = GetHeader(e.Response, "Location"),
        };
    }

    public static string? GetHeader(UploadResponseMessage? response, string name) =>
        response is not null && response.Headers.TryGetValue(name, out IReadOnlyList<string>? values) && values.Count > 0 ? values[0] : null;

    /// <summary>Returns the message of the client, with options of this command instead of those of the client.</summary>
    private static string Describe(UploadException exception)
    {
        string message = exception.Message
            .Replace("set ResumableUploadClientOptions.AllowOtherHosts", "use --allow-other-hosts", StringComparison.Ordinal)
            .Replace("Set UploadOptions.Length", "Use --size", StringComparison.Ordinal);
        return (int?)exception.StatusCode is >= 300 and < 400 && GetHeader(exception.Response, "Location") is { } location
            ? $"{message} The redirect is to {location}."
            : message;
    }
}

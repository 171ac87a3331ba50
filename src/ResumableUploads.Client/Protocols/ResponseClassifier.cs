namespace ResumableUploads.Client.Protocols;

/// <summary>What follows from an error of a server, in all protocols.</summary>
internal static class ResponseClassifier
{
    /// <param name="response">A response that is no success of the protocol.</param>
    /// <param name="offsetHeader">The header with the offset of the server.</param>
    public static Step Classify(ServerResponse response, string offsetHeader)
    {
        string? type = response.Problem?.ShortType;
        return type switch
        {
            "taken-over" => Fail(response, UploadFailureReason.TakenOver, "Another client has continued the upload."),
            "digest-mismatch" => DigestMismatch(response),
            "different-content" => Fail(response, UploadFailureReason.DifferentContent, "The server has an upload of other content under this id."),
            "owner-quota" => Fail(response, UploadFailureReason.QuotaExceeded, "The uploads of the user have more bytes than the server allows."),
            "too-large" => TooLarge(response),
            "append-too-large" => Step.SendLess,
            "interrupted" => Step.Retry,
            "parked" or "different-request" => Rejected(response),
            "mismatching-upload-offset" or "upload-complete" or "completed-upload" => AtReportedOffset(response, offsetHeader),
            _ => ClassifyStatus(response, offsetHeader),
        };
    }

    /// <summary>A 2xx without the headers of the protocol: a page of the app, of a proxy, or one to sign in.</summary>
    public static Step Unexpected(ServerResponse response) => response.WasRedirected
        ? Fail(response, UploadFailureReason.SignedOut, $"The request was redirected to {response.Uri.GetLeftPart(UriPartial.Path)}, which is no upload endpoint. The user may have to sign in.")
        : Fail(response, UploadFailureReason.UnexpectedResponse, "The response has no headers of the upload protocol, so it does not come from an upload endpoint.");

    public static Step Violation(string what) => Step.Failed(UploadFailureReason.UnexpectedResponse, $"The response violates the protocol: {what}");

    private static Step ClassifyStatus(ServerResponse response, string offsetHeader) => response.StatusCode switch
    {
        >= 200 and < 300 => Unexpected(response),
        400 when IsOfWebServer(response) => Step.Retry,
        >= 300 and < 400 => Fail(response, UploadFailureReason.SignedOut, "The server redirects to another page. The user may have to sign in."),
        401 or 407 => Fail(response, UploadFailureReason.SignedOut, "The server requires authentication."),
        403 => Fail(response, UploadFailureReason.Forbidden, "The server has denied access."),
        404 or 410 => Step.Gone,
        408 or 423 or 425 or 429 => Step.Retry,
        409 => AtReportedOffset(response, offsetHeader),
        413 => Step.SendLess,
        460 => DigestMismatch(response),
        405 or 412 or 501 or 505 => Fail(response, UploadFailureReason.NotSupported, "The server does not support this request."),
        >= 500 => Step.Retry,
        _ => Rejected(response),
    };

    /// <summary>Returns whether a web server itself has rejected a request, as it does if a connection breaks within the headers.</summary>
    private static bool IsOfWebServer(ServerResponse response) =>
        response is { Body.IsEmpty: true, MediaType: null } && string.Equals(response.GetHeader("Connection"), "close", StringComparison.OrdinalIgnoreCase);

    private static Step AtReportedOffset(ServerResponse response, string offsetHeader) =>
        StructuredField.ParseInteger(response.GetHeader(offsetHeader)) is { } offset ? Step.AtOffset(offset)
        : response.Problem?.ExpectedOffset is { } expected ? Step.AtOffset(expected)
        : response.Problem?.ShortType is null or "mismatching-upload-offset" ? Step.Retry
        : Rejected(response);

    private static Step TooLarge(ServerResponse response) => Fail(response, UploadFailureReason.TooLarge, "The content is larger than the server allows.");

    private static Step DigestMismatch(ServerResponse response) => Fail(response, UploadFailureReason.DigestMismatch, "The content on the server has another digest.");

    private static Step Rejected(ServerResponse response) => Fail(response, UploadFailureReason.Rejected, "The server has rejected the upload.");

    private static Step Fail(ServerResponse response, UploadFailureReason reason, string message)
    {
        string? detail = response.Problem is { } problem ? problem.Detail ?? problem.Title : null;
        return Step.Failed(reason, detail is null ? $"{message} (status code {response.StatusCode})" : $"{message} (status code {response.StatusCode}: {detail})");
    }
}

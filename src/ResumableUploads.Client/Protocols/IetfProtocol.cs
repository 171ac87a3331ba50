using System.Globalization;

namespace ResumableUploads.Client.Protocols;

/// <summary>Interop version 10 of draft-ietf-httpbis-resumable-upload. HttpClient discards interim responses, so an upload is created by an empty request.</summary>
/// <param name="allowsOtherHosts">Whether the URL of an upload can have another host.</param>
internal sealed class IetfProtocol(bool allowsOtherHosts) : IUploadProtocol
{
    private const string Version = "10";

    public bool HasCreation => true;

    public HttpRequestMessage CreateDiscovery(Uri uri) => Create(HttpMethod.Options, uri);

    public Step? ReadDiscovery(ServerResponse response, UploadDescription description) => null;

    public HttpRequestMessage CreateCreation(UploadDescription description)
    {
        HttpRequestMessage request = Create(description.Method, description.Uri);
        request.Content = new ByteArrayContent([]);
        request.Headers.Add(HeaderNames.UploadComplete, "?0");
        if (description.Length is { } length)
        {
            request.Headers.Add(HeaderNames.UploadLength, Format(length));
        }

        if (description.ContentType is { } contentType)
        {
            request.Content.Headers.Add(HeaderNames.ContentType, contentType);
        }

        if (description.FileName is { } fileName)
        {
            request.Content.Headers.TryAddWithoutValidation(HeaderNames.ContentDisposition, $"attachment; filename*=UTF-8''{Uri.EscapeDataString(fileName)}");
        }

        return request;
    }

    public Step ReadCreation(ServerResponse response, UploadDescription description)
    {
        if (!response.IsSuccess)
        {
            return ResponseClassifier.Classify(response, HeaderNames.UploadOffset);
        }

        // A server that does not offer resumption ignores the fields and responds as to any other request.
        return IsComplete(response) is null && ReadOffset(response) is null
            ? ResponseClassifier.Unexpected(response)
            : UploadLocation.Read(response, allowsOtherHosts, ReadOffset(response) ?? 0);
    }

    public HttpRequestMessage CreateStatus(UploadReference upload) => Create(HttpMethod.Head, upload.Uri);

    public Step ReadStatus(ServerResponse response) => response.IsSuccess && ReadOffset(response) is { } offset
        ? Step.AtOffset(offset, IsComplete(response) == true, StructuredField.ParseInteger(response.GetHeader(HeaderNames.UploadLength)))
        : ResponseClassifier.Classify(response, HeaderNames.UploadOffset);

    public HttpRequestMessage CreateAppend(UploadReference upload, UploadDescription description, Append append, HttpContent content)
    {
        HttpRequestMessage request = Create(HttpMethod.Patch, upload.Uri);
        request.Content = content;
        content.Headers.Add(HeaderNames.ContentType, "application/partial-upload");
        request.Headers.Add(HeaderNames.UploadOffset, Format(append.Offset));
        request.Headers.Add(HeaderNames.UploadComplete, append.IsLast ? "?1" : "?0");
        if (description.Length is null && append.Length is { } length)
        {
            request.Headers.Add(HeaderNames.UploadLength, Format(length));
        }

        append.AddDigests(request);
        return request;
    }

    public Step ReadAppend(ServerResponse response, Append append) => IsComplete(response) switch
    {
        // A response of the app. If it is not final, an empty append requests it again.
        true when response.StatusCode is 401 or 403 or 407 or 408 or 423 or 425 or 429 or >= 500 => ResponseClassifier.Classify(response, HeaderNames.UploadOffset),
        true => Step.Complete,
        false when response.IsSuccess => Step.AtOffset(ReadOffset(response) ?? append.End),
        null when response.IsSuccess && ReadOffset(response) is { } offset => Step.AtOffset(offset),
        _ => ResponseClassifier.Classify(response, HeaderNames.UploadOffset),
    };

    public HttpRequestMessage CreateCancellation(UploadReference upload) => Create(HttpMethod.Delete, upload.Uri);

    private static HttpRequestMessage Create(HttpMethod method, Uri uri)
    {
        var request = new HttpRequestMessage(method, uri);
        request.Headers.Add(HeaderNames.InteropVersion, Version);
        return request;
    }

    private static string Format(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long? ReadOffset(ServerResponse response) => StructuredField.ParseInteger(response.GetHeader(HeaderNames.UploadOffset));

    private static bool? IsComplete(ServerResponse response) => StructuredField.ParseBoolean(response.GetHeader(HeaderNames.UploadComplete));
}

using System.Globalization;
using System.Text;

namespace ResumableUploads.Client.Protocols;

/// <summary>tus 1.0.0.</summary>
/// <param name="allowsOtherHosts">Whether the URL of an upload can have another host.</param>
internal sealed class TusProtocol(bool allowsOtherHosts) : IUploadProtocol
{
    private const string Version = "1.0.0";

    public bool HasCreation => true;

    public HttpRequestMessage CreateDiscovery(Uri uri) => Create(HttpMethod.Options, uri);

    public Step? ReadDiscovery(ServerResponse response, UploadDescription description)
    {
        string[] extensions = [.. response.GetHeaders(HeaderNames.TusExtension).SelectMany(static value => value.Split(',', StringSplitOptions.TrimEntries))];
        return extensions.Length > 0 && description.Length is null && !extensions.Contains("creation-defer-length")
            ? Step.Failed(UploadFailureReason.NotSupported, "The server requires the length of the content at the start. Set UploadOptions.Length.")
            : null;
    }

    public HttpRequestMessage CreateCreation(UploadDescription description)
    {
        HttpRequestMessage request = Create(HttpMethod.Post, description.Uri);
        request.Content = new ByteArrayContent([]);
        if (description.Length is { } length)
        {
            request.Headers.Add(HeaderNames.UploadLength, Format(length));
        }
        else
        {
            request.Headers.Add(HeaderNames.UploadDeferLength, "1");
        }

        if (FormatMetadata(description) is { Length: > 0 } metadata)
        {
            request.Headers.TryAddWithoutValidation(HeaderNames.UploadMetadata, metadata);
        }

        if (description.Length == 0)
        {
            RequestBody(request);
        }

        return request;
    }

    public Step ReadCreation(ServerResponse response, UploadDescription description)
    {
        if (response.StatusCode != 201 || response.GetHeader(HeaderNames.TusResumable) is null)
        {
            return ResponseClassifier.Classify(response, HeaderNames.UploadOffset);
        }

        return UploadLocation.Read(response, allowsOtherHosts, ReadOffset(response) ?? 0);
    }

    public HttpRequestMessage CreateStatus(UploadReference upload) => Create(HttpMethod.Head, upload.Uri);

    public Step ReadStatus(ServerResponse response)
    {
        if (response is { StatusCode: 403, Problem: null } && response.GetHeader(HeaderNames.TusResumable) is not null)
        {
            // The specification allows 403 for an upload that does not exist. A 403 of an authorization policy does not have the header.
            return Step.Gone;
        }

        if (!response.IsSuccess || response.GetHeader(HeaderNames.TusResumable) is null)
        {
            return ResponseClassifier.Classify(response, HeaderNames.UploadOffset);
        }

        long? length = StructuredField.ParseInteger(response.GetHeader(HeaderNames.UploadLength));
        return ReadOffset(response) is { } offset
            ? Step.AtOffset(offset, offset == length, length)
            : ResponseClassifier.Violation($"{HeaderNames.UploadOffset} is missing.");
    }

    public HttpRequestMessage CreateAppend(UploadReference upload, UploadDescription description, Append append, HttpContent content)
    {
        HttpRequestMessage request = Create(HttpMethod.Patch, upload.Uri);
        request.Content = content;
        content.Headers.Add(HeaderNames.ContentType, "application/offset+octet-stream");
        request.Headers.Add(HeaderNames.UploadOffset, Format(append.Offset));
        if (description.Length is null && append.Length is { } length)
        {
            request.Headers.Add(HeaderNames.UploadLength, Format(length));
        }

        append.AddDigests(request);
        if (append.IsLast)
        {
            RequestBody(request);
        }

        return request;
    }

    public Step ReadAppend(ServerResponse response, Append append)
    {
        if (!response.IsSuccess || response.GetHeader(HeaderNames.TusResumable) is null)
        {
            return ResponseClassifier.Classify(response, HeaderNames.UploadOffset);
        }

        return ReadOffset(response) is not { } offset ? ResponseClassifier.Violation($"{HeaderNames.UploadOffset} is missing.")
            : append.IsLast && offset == append.Length ? Step.Complete
            : Step.AtOffset(offset);
    }

    public HttpRequestMessage CreateCancellation(UploadReference upload) => Create(HttpMethod.Delete, upload.Uri);

    private static HttpRequestMessage Create(HttpMethod method, Uri uri)
    {
        var request = new HttpRequestMessage(method, uri);
        request.Headers.Add(HeaderNames.TusResumable, Version);
        return request;
    }

    private static void RequestBody(HttpRequestMessage request) => request.Headers.Add("Prefer", "return=representation");

    private static string FormatMetadata(UploadDescription description)
    {
        var metadata = new Dictionary<string, string>(description.Metadata, StringComparer.Ordinal);
        if (description.FileName is { } fileName)
        {
            metadata.TryAdd("filename", fileName);
        }

        if (description.ContentType is { } contentType)
        {
            metadata.TryAdd("filetype", contentType);
        }

        return string.Join(',', metadata.Select(static pair => $"{pair.Key} {Convert.ToBase64String(Encoding.UTF8.GetBytes(pair.Value))}"));
    }

    private static string Format(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long? ReadOffset(ServerResponse response) => StructuredField.ParseInteger(response.GetHeader(HeaderNames.UploadOffset));
}

using System.Globalization;

namespace ResumableUploads.Client.Protocols;

/// <summary>The file-id protocol.</summary>
internal sealed class FileIdProtocol : IUploadProtocol
{
    public bool HasCreation => false;

    public HttpRequestMessage CreateDiscovery(Uri uri) => new(HttpMethod.Options, uri);

    public Step? ReadDiscovery(ServerResponse response, UploadDescription description) => null;

    public HttpRequestMessage CreateCreation(UploadDescription description) => throw new InvalidOperationException("An append creates the upload.");

    public Step ReadCreation(ServerResponse response, UploadDescription description) => throw new InvalidOperationException("An append creates the upload.");

    public HttpRequestMessage CreateStatus(UploadReference upload) => Create(HttpMethod.Get, upload);

    public Step ReadStatus(ServerResponse response) =>
        response.IsSuccess && ReadOffset(response) is { } offset ? Step.AtOffset(offset, IsComplete(response) == true) : ResponseClassifier.Classify(response, HeaderNames.StartByte);

    public HttpRequestMessage CreateAppend(UploadReference upload, UploadDescription description, Append append, HttpContent content)
    {
        HttpRequestMessage request = Create(description.Method, upload);
        request.Content = content;
        request.Headers.Add(HeaderNames.StartByte, Format(append.Offset));
        if (append.Length is { } length)
        {
            request.Headers.Add(HeaderNames.FileSize, Format(length));
        }
        else
        {
            // Without a size, the server would take the end of the body for the end of the file.
            content.Headers.Add(HeaderNames.ContentRange, $"bytes {Format(append.Offset)}-{Format(append.End - 1)}/*");
        }

        if (description.FileName is { } fileName)
        {
            request.Headers.Add(HeaderNames.FileName, Uri.EscapeDataString(fileName));
        }

        if (description.ContentType is { } contentType)
        {
            content.Headers.Add(HeaderNames.ContentType, contentType);
        }

        append.AddDigests(request);
        return request;
    }

    public Step ReadAppend(ServerResponse response, Append append) => IsComplete(response) switch
    {
        // An error of the protocol, also about a complete upload.
        _ when !response.IsSuccess && response.Problem?.ShortType is not null => ResponseClassifier.Classify(response, HeaderNames.StartByte),
        true => Step.Complete,
        false when response.IsSuccess => ReadOffset(response) is { } offset ? Step.AtOffset(offset) : ResponseClassifier.Violation($"{HeaderNames.StartByte} is missing."),
        _ => ResponseClassifier.Classify(response, HeaderNames.StartByte),
    };

    public HttpRequestMessage CreateCancellation(UploadReference upload) => Create(HttpMethod.Delete, upload);

    private static HttpRequestMessage Create(HttpMethod method, UploadReference upload)
    {
        var request = new HttpRequestMessage(method, upload.Uri);
        request.Headers.TryAddWithoutValidation(HeaderNames.FileId, upload.Id);
        return request;
    }

    private static string Format(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long? ReadOffset(ServerResponse response) => StructuredField.ParseInteger(response.GetHeader(HeaderNames.StartByte));

    private static bool? IsComplete(ServerResponse response) => response.GetHeader(HeaderNames.IsComplete) switch
    {
        "true" => true,
        "false" => false,
        _ => null,
    };
}

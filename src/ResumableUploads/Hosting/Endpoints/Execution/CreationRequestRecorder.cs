using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>Records the request that creates an upload, so that the endpoint sees it when the upload is complete.</summary>
internal static class CreationRequestRecorder
{
    /// <summary>Headers that describe the complete content. Those of the first request apply; those of later chunks are ignored.</summary>
    private static readonly string[] RepresentationHeaders =
        ["Content-Type", "Content-Encoding", "Content-Language", "Content-Location", "Content-Disposition", "Last-Modified", "Repr-Digest"];

    /// <summary>Headers that describe a single message.</summary>
    private static readonly string[] MessageHeaders = ["Content-Length", "Transfer-Encoding", "Expect", "Content-Range", "Content-MD5", "Content-Digest", "Want-Repr-Digest"];

    /// <summary>Headers of the last request that are not passed to the endpoint.</summary>
    private static readonly string[] ExcludedHeaders =
        [.. FileIdHeaders.RequestHeaders, .. TusHeaders.RequestHeaders, .. IetfHeaders.RequestHeaders, .. MessageHeaders, .. RepresentationHeaders];

    /// <summary>Records a request whose Content-Type header describes the complete content.</summary>
    public static StoredRequest Capture(HttpContext context, string? antiforgeryHeader)
    {
        HttpRequest request = context.Request;
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in (IEnumerable<string>)(antiforgeryHeader is null ? RepresentationHeaders : [.. RepresentationHeaders, antiforgeryHeader]))
        {
            if (request.Headers.TryGetValue(name, out StringValues value))
            {
                headers[name] = value.ToString();
            }
        }

        return new StoredRequest
        {
            Method = request.Method,
            Path = request.Path.Value ?? "",
            Query = request.QueryString.Value ?? "",
            RouteValues = GetRouteValues(request),
            Headers = headers,
        };
    }

    /// <summary>Gets the route values of a request as text.</summary>
    public static Dictionary<string, string> GetRouteValues(HttpRequest request) => request.RouteValues
        .Where(static value => value.Value is not null)
        .ToDictionary(static value => value.Key, static value => Convert.ToString(value.Value, CultureInfo.InvariantCulture)!);

    /// <summary>Records a request whose Content-Type header describes the chunk. Replaces it with the content type of the upload.</summary>
    public static StoredRequest CaptureFromChunk(HttpContext context, string? antiforgeryHeader, string? contentType)
    {
        StoredRequest request = Capture(context, antiforgeryHeader);
        request.Headers.Remove("Content-Type");
        if (contentType is not null)
        {
            request.Headers["Content-Type"] = contentType;
        }

        return request;
    }

    /// <summary>
    /// Creates the headers of the complete request: the headers of the last request, except for protocol headers, and the recorded headers of the first
    /// request. Like the cookies, an antiforgery token is that of the last request, if it has one.
    /// </summary>
    public static HeaderDictionary CreateEndpointHeaders(IHeaderDictionary current, StoredRequest first, long length)
    {
        var headers = new HeaderDictionary(current.Count);
        foreach (var header in current)
        {
            headers[header.Key] = header.Value;
        }

        foreach (string name in ExcludedHeaders)
        {
            headers.Remove(name);
        }

        foreach ((string name, string value) in first.Headers)
        {
            headers.TryAdd(name, value);
        }

        headers.ContentLength = length;
        return headers;
    }
}

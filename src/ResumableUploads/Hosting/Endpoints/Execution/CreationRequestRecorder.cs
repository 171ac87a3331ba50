using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>What is kept of an upload's first request, so that its endpoint sees it in the last one.</summary>
internal static class CreationRequestRecorder
{
    /// <summary>Headers that speak of the content, and so of the whole: a later piece may say otherwise, and is not believed.</summary>
    private static readonly string[] RepresentationHeaders =
        ["Content-Type", "Content-Encoding", "Content-Language", "Content-Location", "Content-Disposition", "Last-Modified", "Repr-Digest"];

    /// <summary>Headers that speak of one message and not of the whole.</summary>
    private static readonly string[] MessageHeaders = ["Content-Length", "Transfer-Encoding", "Expect", "Content-Range", "Content-MD5", "Content-Digest", "Want-Repr-Digest"];

    /// <summary>What a handler does not see of the request that brought the last bytes.</summary>
    private static readonly string[] ExcludedHeaders =
        [.. FileIdHeaders.RequestHeaders, .. TusHeaders.RequestHeaders, .. IetfHeaders.RequestHeaders, .. MessageHeaders, .. RepresentationHeaders];

    public static StoredRequest Capture(HttpContext context, string? tokenHeader)
    {
        HttpRequest request = context.Request;
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in (IEnumerable<string>)(tokenHeader is null ? RepresentationHeaders : [.. RepresentationHeaders, tokenHeader]))
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
            RouteValues = request.RouteValues
                .Where(static value => value.Value is not null)
                .ToDictionary(static value => value.Key, static value => Convert.ToString(value.Value, CultureInfo.InvariantCulture)!),
            Headers = headers,
        };
    }

    /// <summary>The same where the content's type is told elsewhere: that of the request is the type of a piece.</summary>
    public static StoredRequest CaptureFromChunk(HttpContext context, string? tokenHeader, string? contentType)
    {
        StoredRequest details = Capture(context, tokenHeader);
        details.Headers.Remove("Content-Type");
        if (contentType is not null)
        {
            details.Headers["Content-Type"] = contentType;
        }

        return details;
    }

    /// <summary>The headers of the whole request: those of this one, and of the first what speaks of the content.</summary>
    public static HeaderDictionary CreateEndpointHeaders(IHeaderDictionary now, StoredRequest first, long length)
    {
        var headers = new HeaderDictionary(now.Count);
        foreach (var header in now)
        {
            headers[header.Key] = header.Value;
        }

        foreach (string name in ExcludedHeaders)
        {
            headers.Remove(name);
        }

        foreach ((string name, string value) in first.Headers)
        {
            headers[name] = value;
        }

        headers.ContentLength = length;
        return headers;
    }
}

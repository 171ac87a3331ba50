using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Endpoints.Execution.Responses;

/// <summary>Selects the headers of an endpoint's response that are stored and replayed.</summary>
internal sealed class StoredHeaderFilter(IEnumerable<string> additionalHeaders)
{
    private const int MaxValueLength = 8 * 1024;

    private static readonly string[] DefaultHeaders =
    [
        "Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-Type",
        "Digest", "ETag", "Expires", "Last-Modified", "Link", "Location", "Repr-Digest", "Retry-After", "Vary",
    ];

    private static readonly HashSet<string> NeverStored = new(StringComparer.OrdinalIgnoreCase)
    {
        "Set-Cookie", "Authorization", "WWW-Authenticate", "Authentication-Info", "Proxy-Authenticate", "Proxy-Authentication-Info", "Connection",
        "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Date", "Server", "Content-Length", "Alt-Svc",
    };

    private readonly HashSet<string> _names = new([.. DefaultHeaders, .. additionalHeaders], StringComparer.OrdinalIgnoreCase);

    public static bool IsNeverStored(string name) => NeverStored.Contains(name);

    /// <summary>Returns the headers to store, with one entry per value. Omits values of more than 8192 characters.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> SelectStored(IHeaderDictionary headers) =>
    [
        .. from header in headers
           where _names.Contains(header.Key) && !NeverStored.Contains(header.Key)
           from value in header.Value
           where value is { Length: <= MaxValueLength }
           select new KeyValuePair<string, string>(header.Key, value),
    ];
}

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Hosting.Endpoints.Execution.Responses;

/// <summary>Selects the headers of an endpoint's response that are stored and replayed.</summary>
internal sealed class StoredHeaderFilter(IEnumerable<string> additionalHeaders)
{
    private const int MaxValueLength = 8 * 1024;
    private const int MaxTotalLength = 32 * 1024;

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

    /// <summary>
    /// Returns the headers to store, with one entry per value. Omits values of more than 8192 characters, and values that would exceed 32768 characters in
    /// total, so that the response does not exceed the limit of the store.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string>> SelectStored(IHeaderDictionary headers)
    {
        var stored = new List<KeyValuePair<string, string>>();
        int totalLength = 0;
        foreach ((string name, StringValues values) in headers.Where(header => _names.Contains(header.Key) && !NeverStored.Contains(header.Key)))
        {
            foreach (string? value in values)
            {
                if (value is { Length: <= MaxValueLength } && totalLength + name.Length + value.Length <= MaxTotalLength)
                {
                    stored.Add(new(name, value));
                    totalLength += name.Length + value.Length;
                }
            }
        }

        return stored;
    }
}

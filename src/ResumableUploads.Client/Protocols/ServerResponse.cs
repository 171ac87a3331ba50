using System.Collections.ObjectModel;
using System.Net;
using System.Net.Http.Headers;

namespace ResumableUploads.Client.Protocols;

/// <summary>A response that was read completely.</summary>
internal sealed class ServerResponse
{
    private readonly Dictionary<string, IReadOnlyList<string>> _headers;

    public ServerResponse(int statusCode, Dictionary<string, IReadOnlyList<string>> headers, ReadOnlyMemory<byte> body, Uri requestedUri)
    {
        (StatusCode, _headers, Body, RequestedUri, Uri) = (statusCode, headers, body, requestedUri, requestedUri);
        Problem = MediaType is "application/problem+json" ? ServerProblem.Parse(body) : null;
    }

    public int StatusCode { get; }

    public bool IsSuccess => StatusCode is >= 200 and < 300;

    public ReadOnlyMemory<byte> Body { get; }

    public bool IsBodyTruncated { get; init; }

    /// <summary>Gets the URL of the request.</summary>
    public Uri RequestedUri { get; }

    /// <summary>Gets the URL that has responded. It differs from that of the request after a redirect.</summary>
    public Uri Uri { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public ServerProblem? Problem { get; }

    public bool IsReplayed => GetHeader(HeaderNames.IsReplayed) == "true";

    public bool WasRedirected => Uri != RequestedUri;

    /// <summary>Gets a value indicating whether a header or the type of a problem shows that an upload endpoint has responded.</summary>
    public bool IsOfUploadEndpoint => Problem?.ShortType is not null || HeaderNames.OfUploadEndpoints.Any(name => GetHeaders(name).Count > 0);

    public string? MediaType => MediaTypeHeaderValue.TryParse(GetHeader(HeaderNames.ContentType), out MediaTypeHeaderValue? type) ? type.MediaType : null;

    /// <summary>Returns the value of a header, or null if it is absent or sent twice.</summary>
    public string? GetHeader(string name) => _headers.TryGetValue(name, out IReadOnlyList<string>? values) && values.Count == 1 ? values[0] : null;

    public IReadOnlyList<string> GetHeaders(string name) => _headers.TryGetValue(name, out IReadOnlyList<string>? values) ? values : [];

    public UploadResponseMessage ToResponseMessage(UploadReference upload, bool wasAlreadyComplete = false) =>
        new((HttpStatusCode)StatusCode, new ReadOnlyDictionary<string, IReadOnlyList<string>>(_headers), Body, IsBodyTruncated) { Upload = upload, WasAlreadyComplete = wasAlreadyComplete };

    /// <summary>Reads a response, and its body up to a maximum size.</summary>
    public static async Task<ServerResponse> ReadAsync(HttpResponseMessage response, Uri requestedUri, int maxBodySize, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        var headers = new Dictionary<string, IReadOnlyList<string>>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, HeaderStringValues values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
        {
            headers[name] = [.. values];
        }

        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        (byte[] body, bool isTruncated) = await ReadBodyAsync(stream, response.Content.Headers.ContentLength, maxBodySize, cancellationToken);
        return new ServerResponse((int)response.StatusCode, headers, body, requestedUri)
        {
            IsBodyTruncated = isTruncated,
            Uri = response.RequestMessage?.RequestUri ?? requestedUri,
            RetryAfter = ReadRetryAfter(response.Headers.RetryAfter, timeProvider),
        };
    }

    private static async Task<(byte[] Body, bool IsTruncated)> ReadBodyAsync(Stream stream, long? length, int maxSize, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[(int)Math.Min(length ?? 4096, maxSize)];
        int count = 0;
        while (true)
        {
            if (count == buffer.Length)
            {
                // Reads a byte more than fits to see whether the body ends here.
                byte[] next = new byte[1];
                if (await stream.ReadAsync(next, cancellationToken) == 0)
                {
                    return (buffer, false);
                }

                if (count == maxSize)
                {
                    return (buffer, true);
                }

                Array.Resize(ref buffer, (int)Math.Min(maxSize, Math.Max(4096L, 2L * buffer.Length)));
                buffer[count++] = next[0];
            }

            int read = await stream.ReadAsync(buffer.AsMemory(count), cancellationToken);
            if (read == 0 && count < buffer.Length)
            {
                return (buffer[..count], false);
            }

            count += read;
        }
    }

    private static TimeSpan? ReadRetryAfter(RetryConditionHeaderValue? value, TimeProvider timeProvider)
    {
        TimeSpan? delay = value?.Delta ?? value?.Date - timeProvider.GetUtcNow();
        return delay > TimeSpan.Zero ? delay : null;
    }
}

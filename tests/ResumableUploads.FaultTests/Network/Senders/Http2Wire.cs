using System.Net;
using System.Net.Sockets;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>HTTP/2 without TLS by <see cref="HttpClient"/>, which does not expose interim responses.</summary>
/// <param name="address">The address of the proxy or of the server.</param>
/// <param name="line">The proxy, or null for a direct connection.</param>
internal sealed class Http2Wire(Uri address, FaultyLine? line) : IWire
{
    private const int AboutTheHead = 350;

    public async Task<WireResponse> SendAsync(WireRequest request, TimeSpan timeout)
    {
        line?.Expect(AboutTheHead + (request.Body?.Length ?? 0));
        using var timeoutSource = new CancellationTokenSource(timeout);
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { BaseAddress = address };
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), request.Path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = request.Body is { } body ? new SlicedContent(request, body) : null,
        };
        foreach ((string name, string value) in request.Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        try
        {
            using HttpResponseMessage response = await client.SendAsync(message, timeoutSource.Token);
            string text = await response.Content.ReadAsStringAsync(timeoutSource.Token);
            ILookup<string, string> headers = response.Headers.Concat(response.Content.Headers)
                .ToLookup(static header => header.Key, static header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase);
            return new WireResponse((int)response.StatusCode, headers, text);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            return WireResponse.None;
        }
    }

    private sealed class SlicedContent(WireRequest request, ReadOnlyMemory<byte> body) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (int at = 0; at < body.Length;)
            {
                int size = Math.Min(request.Slice, body.Length - at);
                request.Sending(at + size);
                await stream.WriteAsync(body.Slice(at, size));
                await stream.FlushAsync();
                at += size;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return !request.IsOpen;
        }
    }
}

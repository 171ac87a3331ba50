using System.Globalization;
using System.Text;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>Sends the exact bytes of requests that a client was seen to send, and reads the responses.</summary>
internal sealed class RawExchange(Uri address) : IAsyncDisposable
{
    private RawConnection? _connection;

    /// <summary>Gets the value of the header <c>Host</c>.</summary>
    public string Host => address.Authority;

    /// <summary>Gets the absolute URL of a path, as a client computes it from <c>Location</c>, and the target of a request to it.</summary>
    public string GetTarget(string endpoint, string location) => new Uri(new Uri(address, endpoint), location).PathAndQuery;

    /// <summary>Sends a request on a connection that is kept open unless the request has <c>Connection: close</c>.</summary>
    public async Task<RawResponse> SendAsync(string head, byte[]? body = null)
    {
        _connection ??= await RawConnection.OpenAsync(address);
        await _connection.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(head.ReplaceLineEndings("\r\n") + "\r\n\r\n"), .. body ?? []]);
        RawResponse? response = await _connection.ReadResponseAsync(toHead: head.StartsWith("HEAD", StringComparison.Ordinal));
        if (head.Contains("Connection: close", StringComparison.OrdinalIgnoreCase))
        {
            Assert.Null(await _connection.ReadResponseAsync());
            await DisposeAsync();
        }

        return response!;
    }

    public static long OffsetOf(RawResponse response) => long.Parse(response.Header("Upload-Offset")!, CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }
}

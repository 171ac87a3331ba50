using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ResumableUploads.FaultTests.Network.Lines;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>HTTP/1.1 over a raw connection that reads while it sends.</summary>
/// <param name="address">The address of the proxy or of the server.</param>
/// <param name="line">The proxy, or null for a direct connection.</param>
internal sealed class Http1Wire(Uri address, FaultyLine? line) : IWire
{
    private const int MaxInterim = 1000;

    public async Task<WireResponse> SendAsync(WireRequest request, TimeSpan timeout)
    {
        (ReadOnlyMemory<byte> Bytes, int Sent)[] parts = [.. PartsOf(request)];
        line?.Expect(parts.Sum(static part => part.Bytes.Length));
        var interim = new List<ILookup<string, string>>();
        WireResponse answer = WireResponse.None;
        RawConnection? opened = await OpenAsync(address);
        if (opened is null)
        {
            return WireResponse.None;
        }

        await using RawConnection connection = opened;
        using (var timeoutSource = new CancellationTokenSource(timeout))
        using (timeoutSource.Token.Register(connection.Reset))
        {
            Task<WireResponse> reading = ReadAsync(connection, request.Method == "HEAD", interim);
            await WriteAsync(connection, request, parts, reading);
            answer = await reading;
        }

        return answer with { Interim = interim };
    }

    private static bool IsEnd(Exception e) => e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;

    /// <summary>Returns null if the connection is refused or is reset before it is used.</summary>
    private static async Task<RawConnection?> OpenAsync(Uri address)
    {
        try
        {
            return await RawConnection.OpenAsync(address);
        }
        catch (Exception e) when (IsEnd(e))
        {
            return null;
        }
    }

    private static async Task WriteAsync(RawConnection connection, WireRequest request, (ReadOnlyMemory<byte> Bytes, int Sent)[] parts, Task reading)
    {
        try
        {
            foreach ((ReadOnlyMemory<byte> bytes, int sent) in parts)
            {
                if (reading.IsCompleted)
                {
                    break;
                }

                request.Sending(sent);
                await connection.SendAsync(bytes);
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // A response may have arrived nevertheless.
        }
    }

    private static async Task<WireResponse> ReadAsync(RawConnection connection, bool toHead, List<ILookup<string, string>> interim)
    {
        try
        {
            for (int i = 0; i < MaxInterim && await connection.ReadResponseAsync(toHead: toHead) is { } response; i++)
            {
                if (response.Status >= 200)
                {
                    bool isWhole = toHead || Encoding.UTF8.GetByteCount(response.Body) == int.Parse(response.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture);
                    return isWhole ? new WireResponse(response.Status, response.Headers, response.Body) : WireResponse.None;
                }

                interim.Add(response.Headers);
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The connection broke or timed out.
        }

        return WireResponse.None;
    }

    /// <summary>Returns the request in parts, each with the number of body bytes sent so far.</summary>
    private static IEnumerable<(ReadOnlyMemory<byte> Bytes, int Sent)> PartsOf(WireRequest request)
    {
        IEnumerable<(string Name, string Value)> framing = request.Body is not { } content ? []
            : request.IsOpen ? [("Transfer-Encoding", "chunked")] : [("Content-Length", content.Length.ToString(CultureInfo.InvariantCulture))];
        string headers = string.Concat(request.Headers.Concat(framing).Select(static header => $"{header.Name}: {header.Value}\r\n"));
        yield return (Encoding.Latin1.GetBytes($"{request.Method} {request.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"), 0);
        if (request.Body is not { } body)
        {
            yield break;
        }

        for (int at = 0; at < body.Length;)
        {
            int size = Math.Min(request.Slice, body.Length - at);
            ReadOnlyMemory<byte> chunk = body.Slice(at, size);
            at += size;
            yield return (request.IsOpen ? (byte[])[.. Encoding.ASCII.GetBytes($"{size:x}\r\n"), .. chunk.Span, 13, 10] : chunk, at);
        }

        if (request.IsOpen)
        {
            yield return ("0\r\n\r\n"u8.ToArray(), body.Length);
        }
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using ResumableUploads.Hosting.Interim.Http2;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Interim.Http2;

/// <summary>A minimal HTTP/2 client that returns every frame in the order in which it was received.</summary>
internal sealed class Http2Client : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly Stream _stream;
    private readonly string _scheme;

    private Http2Client(Stream stream, string scheme)
    {
        _stream = stream;
        _scheme = scheme;
    }

    /// <summary>Connects to the server, with TLS and the test certificate if the scheme is https.</summary>
    /// <param name="address">The address of the server.</param>
    /// <param name="settings">The identifiers and values of the client's settings.</param>
    public static async Task<Http2Client> OpenAsync(Uri address, params (ushort Id, uint Value)[] settings)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                RemoteCertificateValidationCallback = TestCertificate.IsIt,
            });
            stream = tls;
        }

        var client = new Http2Client(stream, address.Scheme);
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await client.SendSettingsAsync(settings);
        return client;
    }

    public Task SendSettingsAsync(params (ushort Id, uint Value)[] settings)
    {
        byte[] payload = new byte[6 * settings.Length];
        for (int i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(6 * i), settings[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan((6 * i) + 2), settings[i].Value);
        }

        return SendAsync(Http2Frame.Settings, flags: 0, streamId: 0, payload);
    }

    /// <summary>Starts a POST request.</summary>
    public Task SendHeadersAsync(int streamId, string path = "/", bool isWhole = false, params (string Name, string Value)[] headers)
    {
        var block = new ArrayBufferWriter<byte>();
        foreach ((string name, string value) in ((string, string)[])[(":method", "POST"), (":scheme", _scheme), (":path", path), (":authority", "127.0.0.1"), .. headers])
        {
            HpackLiteralEncoder.WriteHeader(block, name, value);
        }

        return SendAsync(Http2Frame.Headers, (byte)(Http2Frame.EndHeaders | (isWhole ? Http2Frame.EndStream : 0)), streamId, block.WrittenMemory);
    }

    public Task SendDataAsync(int streamId, ReadOnlyMemory<byte> bytes, bool isLast = false) =>
        SendAsync(Http2Frame.Data, isLast ? Http2Frame.EndStream : (byte)0, streamId, bytes);

    /// <summary>Resets a stream with the error code CANCEL.</summary>
    public Task ResetAsync(int streamId) => SendAsync(Http2Frame.ResetStream, flags: 0, streamId, new byte[] { 0, 0, 0, 8 });

    /// <summary>Sends a PING and returns the response frames that were received before its acknowledgment.</summary>
    public async Task<List<Http2Frame>> PingAsync()
    {
        await SendAsync(Http2Frame.Ping, flags: 0, streamId: 0, new byte[8]);
        var before = new List<Http2Frame>();
        Http2Frame frame;
        while ((frame = await ReadAsync()).Type != Http2Frame.Ping)
        {
            before.Add(frame);
        }

        return before;
    }

    /// <summary>Reads the next frame of a stream. Acknowledges SETTINGS frames and skips other connection frames.</summary>
    public async Task<Http2Frame> ReadAsync()
    {
        using var timeout = new CancellationTokenSource(Timeout);
        while (true)
        {
            byte[] head = new byte[9];
            await _stream.ReadExactlyAsync(head, timeout.Token);
            byte[] payload = new byte[BinaryPrimitives.ReadUInt32BigEndian(head) >> 8];
            await _stream.ReadExactlyAsync(payload, timeout.Token);
            var frame = new Http2Frame(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) & int.MaxValue, payload);
            if (frame is { Type: Http2Frame.Settings, Flags: 0 })
            {
                await SendAsync(Http2Frame.Settings, Http2Frame.Acknowledges, streamId: 0, ReadOnlyMemory<byte>.Empty);
            }
            else if (frame.Type is not (Http2Frame.Settings or Http2Frame.WindowUpdate))
            {
                return frame;
            }
        }
    }

    /// <summary>Reads to the end of a stream. Returns the status codes of its header blocks, and "reset" if the stream was reset.</summary>
    public async Task<List<string>> ReadStreamAsync(int streamId)
    {
        var seen = new List<string>();
        Http2Frame frame;
        do
        {
            frame = await ReadAsync();
            Assert.NotEqual(Http2Frame.GoAway, frame.Type);
            if (frame.StreamId == streamId && frame.Type != Http2Frame.Data)
            {
                seen.Add(frame.ToString());
            }
        }
        while (frame.StreamId != streamId || !frame.EndsStream);
        return seen;
    }

    public async ValueTask DisposeAsync() => await _stream.DisposeAsync();

    private async Task SendAsync(byte type, byte flags, int streamId, ReadOnlyMemory<byte> payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, ((uint)payload.Length << 8) | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.Span.CopyTo(frame.AsSpan(9));
        await _stream.WriteAsync(frame);
    }
}

using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.FaultTests.Network.Lines;

/// <summary>A faulty connection does what its plan says, and nothing else.</summary>
public class FaultyConnectionTests
{
    private const int At = 10;
    private static readonly byte[] Request = [.. Enumerable.Range(1, 20).Select(static i => (byte)i)];
    private static readonly byte[] Answer = [.. Enumerable.Range(101, 20).Select(static i => (byte)i)];

    [Theory]
    [InlineData("None", false, "20 ended", "20 ended")]
    [InlineData("FinToServer", false, "10 ended", "20 ended")]
    [InlineData("FinToServer", true, "20 ended", "20 ended")]
    [InlineData("FinToClient", false, "20 ended", "0 ended")]
    [InlineData("FinToClient", true, "20 ended", "10 ended")]
    [InlineData("Reset", false, "reset", "reset")]
    [InlineData("Reset", true, "reset", "reset")]
    [InlineData("HalfOpen", false, "reset", "reset")]
    [InlineData("HalfOpen", true, "reset", "reset")]
    [InlineData("Stall", false, "20 ended", "20 ended")]
    [InlineData("Stall", true, "20 ended", "20 ended")]
    public async Task Fault_happens_at_its_byte_and_changes_no_byte(string name, bool isInResponse, string atServer, string atClient)
    {
        Fault fault = Enum.Parse<Fault>(name);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var server = new TcpListener(IPAddress.Loopback, 0);
        using var line = new TcpListener(IPAddress.Loopback, 0);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server.Start();
        line.Start();
        await client.ConnectAsync(line.LocalEndpoint, timeout.Token);
        var counts = new FaultCounts();
        var plan = new FaultPlan(fault, isInResponse, At, TimeSpan.FromMilliseconds(500), SingleUntil: 3, Chunk: 4, DelayEvery: 7);
        Task carrying = new FaultyConnection(await line.AcceptSocketAsync(timeout.Token), plan, counts, timeout.Token)
            .CarryAsync(new Uri($"http://127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}"));
        using Socket accepted = await server.AcceptSocketAsync(timeout.Token);

        await client.SendAsync(Request, timeout.Token);
        byte[] first = new byte[isInResponse || fault is Fault.None or Fault.FinToClient or Fault.Stall ? Request.Length : fault == Fault.Reset ? 0 : At];
        await ReadAsync(accepted, first, timeout.Token);
        Assert.Equal(Request[..first.Length], first);
        Task<string> seenByClient = SeenAsync(client, Answer, 0, timeout.Token);
        if (!isInResponse && fault is Fault.Reset or Fault.HalfOpen)
        {
            // The response would otherwise race with the fault.
            Assert.Equal("reset", await seenByClient);
        }

        bool isResetSeenBySend = false;
        try
        {
            await accepted.SendAsync(Answer, timeout.Token);
            accepted.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The kernel reports a reset once: a receive after this ends like a FIN.
            isResetSeenBySend = true;
        }

        Assert.Equal(atClient, await seenByClient);
        client.Dispose();
        Assert.Equal(atServer, isResetSeenBySend ? "reset" : await SeenAsync(accepted, Request, first.Length, timeout.Token));
        await carrying;
        Assert.Equal(fault == Fault.None ? 0 : 1, counts.Of(fault, isInResponse));
    }

    private static async Task ReadAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        for (int read = 0; read < buffer.Length;)
        {
            int count = await socket.ReceiveAsync(buffer[read..], cancellationToken);
            Assert.NotEqual(0, count);
            read += count;
        }
    }

    /// <summary>Returns how many bytes arrived, and whether the connection ended with a FIN. A reset may discard bytes.</summary>
    private static async Task<string> SeenAsync(Socket socket, byte[] expected, int already, CancellationToken cancellationToken)
    {
        byte[] seen = new byte[expected.Length + 1];
        try
        {
            int read;
            while ((read = await socket.ReceiveAsync(seen.AsMemory(already), cancellationToken)) > 0)
            {
                Assert.Equal(expected[already..(already + read)], seen[already..(already + read)]);
                already += read;
            }

            return $"{already} ended";
        }
        catch (SocketException)
        {
            return "reset";
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>Sends requests as fast as a few connections allow, pipelined on each without waiting for responses.</summary>
internal static class Pipeline
{
    private const int Connections = 4;
    private const int AtOnce = 50;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    /// <summary>Sends the requests and reads their responses.</summary>
    /// <param name="address">The address of the server.</param>
    /// <param name="first">The number of the first request.</param>
    /// <param name="count">The number of requests.</param>
    /// <param name="requestOf">Returns the complete bytes of a request.</param>
    /// <param name="see">Checks each response.</param>
    public static Task SendAsync(Uri address, int first, int count, Func<int, string> requestOf, Action<RawResponse> see)
    {
        int next = first - AtOnce;
        return Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            await using RawConnection connection = await RawConnection.OpenAsync(address);
            for (int begin; (begin = Interlocked.Add(ref next, AtOnce)) < first + count;)
            {
                int end = Math.Min(begin + AtOnce, first + count);
                await connection.SendAsync(string.Concat(Enumerable.Range(begin, end - begin).Select(requestOf)));
                for (int i = begin; i < end; i++)
                {
                    see(await ReadFinalResponseAsync(connection));
                }
            }
        })));
    }

    private static async Task<RawResponse> ReadFinalResponseAsync(RawConnection connection)
    {
        RawResponse response;
        do
        {
            response = Assert.IsType<RawResponse>(await connection.ReadResponseAsync(Timeout));
        }
        while (response.Status < 200);
        return response;
    }

    /// <summary>Sends an incomplete request and disconnects.</summary>
    public static void Break(Uri address, string part, bool withReset)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, address.Port);
        socket.Send(Encoding.Latin1.GetBytes(part));
        socket.LingerState = new LingerOption(withReset, 0);
    }
}

using System.Globalization;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Proxies.Measuring;

/// <summary>Finds the largest body that a proxy accepts.</summary>
internal sealed class BodyLimitProbe(ProxyClient client, string expected)
{
    /// <summary>Bodies up to this length are sent. Of longer ones, only the head and a first part are sent.</summary>
    private const long MaxSentLength = 40_000_000;

    /// <summary>The limits that proxies have by default.</summary>
    private static readonly long[] Candidates = [1 << 20, 30_000_000, MaxSentLength, 1 << 30, 1L << 40];

    private static readonly byte[] Bytes = new byte[MaxSentLength];

    public async Task<string> MeasureAsync()
    {
        long accepted = 0;
        foreach (long candidate in Candidates)
        {
            if (await IsRefusedAsync(candidate))
            {
                return accepted.ToString("N0", CultureInfo.InvariantCulture) + " bytes or more";
            }

            accepted = candidate;
            if (candidate != MaxSentLength && await IsRefusedAsync(candidate + 1))
            {
                return Format(candidate);
            }
        }

        return ProxyRow.NoLimit;
    }

    private static string Format(long length) => length switch
    {
        1 << 20 => "1 MiB",
        1 << 30 => "1 GiB",
        1L << 40 => "1 TiB",
        _ => length.ToString("N0", CultureInfo.InvariantCulture) + " bytes",
    };

    private async Task<bool> IsRefusedAsync(long length)
    {
        await using RawConnection connection = await client.ConnectAsync();
        await connection.SendHeadAsync($"POST {ProxiedApp.Discard}", $"Content-Length: {length}");
        if (length <= MaxSentLength)
        {
            Task send = ProxyClient.TrySendAsync(connection, Bytes.AsMemory(0, (int)length));
            RawResponse? final = await connection.ReadResponseAsync();
            connection.Reset();
            await send;
            return final?.Status != 200;
        }

        await ProxyClient.TrySendAsync(connection, Bytes.AsMemory(0, 65_536));
        Task<RawResponse?> response = connection.ReadResponseAsync();
        await client.HappensAsync(() => response.IsCompleted, isExpected: expected == Format(length - 1));
        bool isRefused = response.IsCompleted && (await response)?.Status == 413;
        connection.Reset();
        await Task.WhenAny(response);
        return isRefused;
    }
}

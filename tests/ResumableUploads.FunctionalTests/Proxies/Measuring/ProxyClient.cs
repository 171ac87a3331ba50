using System.Diagnostics;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Proxies.Measuring;

/// <summary>Sends requests to an app through a proxy, and waits for what arrives there.</summary>
internal sealed class ProxyClient(ProxiedApp app, Uri proxy)
{
    /// <summary>
    /// How many requests pass the proxy until it counts as certain that it holds back what was sent before. What the documentation expects to pass is awaited
    /// for <see cref="Timeout"/>, so that a slow machine does not change a result.
    /// </summary>
    private const int SentinelCount = 100;

    /// <summary>
    /// How often a request is sent again after a 502. A proxy can answer with it when the app has just closed the connection that the proxy wanted to reuse, which
    /// is what happens after an upload was cut.
    /// </summary>
    private const int MaxAttempts = 10;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public Task<RawConnection> ConnectAsync() => RawConnection.OpenAsync(proxy);

    /// <summary>Sends a request without a body, again after a 502.</summary>
    public async Task<RawResponse?> SendAsync(string methodAndPath, string[] headers)
    {
        RawResponse? response = null;
        for (int i = 0; i < MaxAttempts && (response is null or { Status: 502 }); i++)
        {
            response = await SendAsync(methodAndPath, headers, default);
        }

        return response;
    }

    /// <summary>Sends a request and returns its final response, or null if the connection was closed without one.</summary>
    public async Task<RawResponse?> SendAsync(string methodAndPath, string[] headers, ReadOnlyMemory<byte> body)
    {
        await using RawConnection connection = await ConnectAsync();
        await connection.SendHeadAsync(methodAndPath, [.. headers, $"Content-Length: {body.Length}"]);
        await TrySendAsync(connection, body);
        RawResponse? response;
        while ((response = await connection.ReadResponseAsync()) is { Status: < 200 })
        {
        }

        return response;
    }

    /// <summary>Sends a HEAD request, and returns its response and the method that the app has received.</summary>
    public async Task<(RawResponse Response, string Method)> HeadAsync(string path, params string[] headers)
    {
        RawResponse? response = null;
        for (int i = 0; i < MaxAttempts && (response is null or { Status: 502 }); i++)
        {
            await using RawConnection connection = await ConnectAsync();
            await connection.SendHeadAsync($"HEAD {path}", headers);
            response = await connection.ReadResponseAsync(toHead: true);
        }

        return (response!, app.Requests.Last(request => request.Path == path).Method);
    }

    /// <summary>Waits until the store has received more than the given number of bytes, and returns whether it has.</summary>
    public Task<bool> ArriveAsync(long before, bool isExpected) => HappensAsync(() => app.Store.Received > before, isExpected);

    /// <summary>Waits until a condition holds, and returns whether it does.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="isExpected">Whether the documentation says that it does.</param>
    public async Task<bool> HappensAsync(Func<bool> condition, bool isExpected)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < SentinelCount || (isExpected && Stopwatch.GetElapsedTime(start) < Timeout); i++)
        {
            if (condition())
            {
                return true;
            }

            await PassSentinelAsync();
        }

        return condition();
    }

    /// <summary>Sends bytes. A proxy can close the connection before it has read all of them.</summary>
    public static async Task TrySendAsync(RawConnection connection, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await connection.SendAsync(bytes);
        }
        catch (IOException)
        {
            // The response says why.
        }
    }

    private async Task PassSentinelAsync()
    {
        RawResponse? response = await SendAsync($"GET {ProxiedApp.Sentinel}", []);
        Assert.Equal((200, "1"), (response?.Status, response?.Header(ProxiedApp.SentinelHeader)));
    }
}

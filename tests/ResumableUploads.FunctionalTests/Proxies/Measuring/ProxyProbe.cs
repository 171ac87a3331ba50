using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Proxies.Measuring;

/// <summary>Measures what a proxy does with uploads.</summary>
/// <param name="app">The app behind the proxy.</param>
/// <param name="proxy">The address of the proxy.</param>
/// <param name="expected">What the documentation says. It only decides how long to wait for an event.</param>
internal sealed class ProxyProbe(ProxiedApp app, Uri proxy, ProxyRow expected)
{
    /// <summary>Below the smallest limit that a proxy has by default.</summary>
    private const int Size = 1_000_000;

    private const int Half = Size / 2;
    private const int MaxRetries = 20;
    private readonly ProxyClient _client = new(app, proxy);
    private readonly byte[] _file = RandomNumberGenerator.GetBytes(Size);

    public async Task<ProxyRow> MeasureAsync()
    {
        // The first request takes long in the app.
        await _client.SendAsync($"POST {ProxiedApp.Discard}", []);
        (string methodAndPath, string[] headers) = new FileIdDialog(_client, ProxiedApp.Auto, Half).CreateAppend(0);
        await _client.SendAsync(methodAndPath, headers, _file.AsMemory(Half));

        bool streams = await StreamsAsync();
        string head = await HeadAsync();
        string interim = await InterimResponseAsync();
        string trailer = await TrailerAsync();

        // The mode that the documentation recommends.
        bool isAlways = interim == ProxyRow.Passes;
        string path = isAlways ? ProxiedApp.Always : ProxiedApp.Auto;
        return new ProxyRow(
            [
                await ResumeAsync(new FileIdDialog(_client, path, Size)),
                await ResumeAsync(new TusDialog(_client, path, Size)),
                await ResumeAsync(new IetfDialog(_client, path, Size, createsFirst: true)),
                await ResumeAsync(new IetfDialog(_client, path, Size, createsFirst: false), awaitsUrl: isAlways),
                isAlways ? "`Always`" : "`Auto`",
                await new BodyLimitProbe(_client, expected.Limit).MeasureAsync(),
            ],
            [streams ? ProxyRow.Yes : ProxyRow.No, head, interim, trailer, app.Requests.Last(static request => request.Path == ProxiedApp.Sentinel).Marks is { Length: > 0 } marks ? marks : ProxyRow.No]);
    }

    /// <summary>Sends all bytes of a body except the last, and returns whether any of them arrives.</summary>
    private async Task<bool> StreamsAsync()
    {
        long before = app.Store.Received;
        (string methodAndPath, string[] headers) = new FileIdDialog(_client, ProxiedApp.Auto, Size).CreateAppend(0);
        await using RawConnection connection = await _client.ConnectAsync();
        await connection.SendHeadAsync(methodAndPath, [.. headers, $"Content-Length: {Size}"]);
        await connection.SendAsync(_file.AsMemory(1));
        bool streams = await _client.ArriveAsync(before, expected.Streams);
        connection.Reset();
        return streams;
    }

    /// <summary>Returns the method with which a HEAD request arrives.</summary>
    private async Task<string> HeadAsync()
    {
        var dialog = new TusDialog(_client, ProxiedApp.Auto, Size);
        return await dialog.CreateAsync() is { } failure
            ? $"fails ({failure})"
            : $"`{(await _client.HeadAsync(dialog.Url!, "Tus-Resumable: 1.0.0")).Method}`";
    }

    /// <summary>Sends a creation whose response is preceded by a 104.</summary>
    private async Task<string> InterimResponseAsync()
    {
        (string methodAndPath, string[] headers) = new IetfDialog(_client, ProxiedApp.Always, Size, createsFirst: false).CreateAppend(0);
        await using RawConnection connection = await _client.ConnectAsync();
        await connection.SendHeadAsync(methodAndPath, [.. headers, $"Content-Length: {Size}"]);
        Task<RawResponse?> first = connection.ReadResponseAsync();
        await _client.HappensAsync(() => first.IsCompleted, expected.PassesInterimResponses);
        bool isInTime = first.IsCompleted && (await first)?.Status == 104;
        await ProxyClient.TrySendAsync(connection, _file);

        // The response to this request shows that no other one follows.
        await ProxyClient.TrySendAsync(connection, System.Text.Encoding.ASCII.GetBytes($"GET {ProxiedApp.Sentinel} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
        bool isForwarded = false;
        bool isFinal = false;
        RawResponse? response = await first;
        for (; response is { Status: < 200 }; response = await connection.ReadResponseAsync())
        {
            isForwarded |= response.Status == 104;

            // Only a final response says what becomes of the connection.
            isFinal |= response.Header("Connection") is not null;
        }

        return response switch
        {
            _ when isFinal => "taken for the final response",
            null => "connection closed",
            { Status: >= 400 } => $"fails ({response.Status})",
            _ when !isForwarded => "dropped",
            _ => isInTime ? ProxyRow.Passes : "after the body",
        };
    }

    private async Task<string> TrailerAsync()
    {
        var dialog = new TusDialog(_client, ProxiedApp.Auto, Size);
        if (await dialog.CreateAsync() is { } failure)
        {
            return $"fails ({failure})";
        }

        (string methodAndPath, string[] headers) = dialog.CreateAppend(0);
        await using RawConnection connection = await _client.ConnectAsync();
        await connection.SendHeadAsync(methodAndPath, [.. headers, "Transfer-Encoding: chunked", "Trailer: Upload-Checksum"]);
        await connection.SendAsync($"{Size:x}\r\n");
        await ProxyClient.TrySendAsync(connection, _file);
        await ProxyClient.TrySendAsync(connection, System.Text.Encoding.ASCII.GetBytes($"\r\n0\r\nUpload-Checksum: sha256 {Convert.ToBase64String(SHA256.HashData(_file))}\r\n\r\n"));
        RawResponse? response = await connection.ReadResponseAsync();
        return response?.Status switch
        {
            204 => ProxyRow.Passes,
            400 when response.Body.Contains("trailer is missing", StringComparison.Ordinal) => "dropped",
            _ => $"fails ({response?.Status})",
        };
    }

    /// <summary>Cuts an upload after its first half, and completes it.</summary>
    private async Task<string> ResumeAsync(UploadDialog dialog, bool awaitsUrl = false)
    {
        if (await dialog.CreateAsync() is { } failure)
        {
            return $"fails ({failure})";
        }

        byte[] file = RandomNumberGenerator.GetBytes(Size);

        // Bytes of an earlier request must not count as those of this one.
        await Eventually.TrueAsync(() => app.Store.IsIdle, "earlier appends have ended");
        long before = app.Store.Received;
        (string methodAndPath, string[] headers) = dialog.CreateAppend(0);
        await using (RawConnection connection = await _client.ConnectAsync())
        {
            await connection.SendHeadAsync(methodAndPath, [.. headers, $"Content-Length: {Size}"]);
            await connection.SendAsync(file.AsMemory(0, Half));
            if (awaitsUrl)
            {
                dialog.Url = (await connection.ReadResponseAsync())?.Header("Location");
            }

            await _client.ArriveAsync(before, expected.Streams);
            connection.Reset();
        }

        // The request that was cut may still run, and move the offset.
        for (int i = 0; i < MaxRetries; i++)
        {
            (long? offset, int status) = await dialog.GetOffsetAsync();
            if (offset is not { } start)
            {
                return $"fails ({status})";
            }

            (methodAndPath, headers) = dialog.CreateAppend(start);
            RawResponse? response = await _client.SendAsync(methodAndPath, headers, file.AsMemory((int)start));
            if (response is { Status: not (409 or 423 or 502) })
            {
                return !dialog.IsComplete(response) || !app.Files.Any(content => content.AsSpan().SequenceEqual(file)) ? $"fails ({response.Status})"
                    : start > 0 ? ProxyRow.Resumes
                    : ProxyRow.StartsOver;
            }
        }

        return "fails";
    }
}

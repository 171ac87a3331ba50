using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>Interrupted, stalled and concurrent appends on plain sockets (tus 1.0.0, Core, PATCH; docs/protocols/tus.md#core-patch).</summary>
public class TusConnectionTests
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes((3 * MiB) + 17);

    public static TheoryData<string> Places => TusApp.Places;

    public static TheoryData<string, bool> PlacesAndFraming
    {
        get
        {
            var rows = new TheoryData<string, bool>();
            foreach (string place in new[] { TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint })
            {
                rows.Add(place, false);
                rows.Add(place, true);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(PlacesAndFraming))]
    public async Task Interrupted_chunk_keeps_all_delivered_bytes(string place, bool isChunked)
    {
        await using ObservedTusApp app = await ObservedTusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        await using (RawConnection connection = await app.BeginAsync(url, 0, isChunked ? null : File.Length))
        {
            if (isChunked)
            {
                await connection.SendChunkAsync(File.AsMemory(0, MiB));
            }
            else
            {
                await connection.SendAsync(File.AsMemory(0, MiB));
            }

            await app.Store.WaitingAsync(app.KeyOf(url), MiB);
            if (isChunked)
            {
                // Ends the connection in the middle of the next chunk.
                await connection.SendAsync("1000\r\n");
                connection.Finish();
            }
            else
            {
                connection.Reset();
            }
        }

        Assert.Equal(MiB, await app.Client.OffsetAsync(url));
        Assert.Equal(File[..MiB], await app.ContentAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, MiB, File[MiB..]).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Interrupted_creation_leaves_an_upload_that_expires(string place)
    {
        await using ObservedTusApp app = await ObservedTusApp.StartAsync(place);
        await using (RawConnection connection = await RawConnection.OpenAsync(app.App.Address))
        {
            await connection.SendHeadAsync(
                $"POST {TusApp.Url}", "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", $"Upload-Length: {File.Length}", $"Content-Length: {File.Length}");
            await connection.SendAsync(File.AsMemory(0, MiB));
            connection.Finish();

            // A client that closed only its sending half still receives the response.
            RawResponse? interrupted = await connection.ReadResponseAsync();
            if (interrupted?.Header("Location") is { } url)
            {
                Assert.Equal(503, interrupted.Status);
                Assert.Equal(interrupted.Header("Upload-Offset"), (await app.Client.OffsetAsync(url)).ToString(CultureInfo.InvariantCulture));
                Assert.NotNull(interrupted.Header("Upload-Expires"));
            }
        }

        int left = 0;
        await foreach (UploadInfo info in app.Store.ListAsync(new UploadQuery(), CancellationToken.None))
        {
            left++;
            Assert.Equal(UploadState.Receiving, info.State);
            Assert.NotNull(info.Expires);
        }

        Assert.Equal(1, left);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Preempted_chunk_returns_400_with_offset(string place)
    {
        await using ObservedTusApp app = await ObservedTusApp.StartAsync(place);
        (string url, RawConnection stalled) = await app.StallAsync(File, MiB);
        await using (stalled)
        {
            Assert.Equal(204, await app.Client.AppendChunkAsync(url, MiB, File[MiB..]).StatusOfAsync());
            RawResponse? response = await stalled.ReadResponseAsync();
            Assert.Equal((400, MiB.ToString(CultureInfo.InvariantCulture)), (response?.Status, response?.Header("Upload-Offset")));
        }

        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Chunk_with_other_offset_does_not_preempt(string place)
    {
        await using ObservedTusApp app = await ObservedTusApp.StartAsync(place);
        (string url, RawConnection holder) = await app.StallAsync(File, MiB);
        await using (holder)
        {
            foreach ((long offset, int length, int status) in new[] { (0L, 10, 409), (5L, 0, 409), (MiB + 1L, 5, 409), (MiB, 3 * MiB, 413) })
            {
                Assert.Equal(status, await app.Client.AppendChunkAsync(url, offset, new byte[length]).StatusOfAsync());
            }

            await holder.SendAsync(File.AsMemory(MiB));
            Assert.Equal(204, (await holder.ReadResponseAsync())?.Status);
        }

        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task DELETE_preempts_stalled_chunk(string place)
    {
        await using ObservedTusApp app = await ObservedTusApp.StartAsync(place);
        (string url, RawConnection stalled) = await app.StallAsync(File, MiB);
        await using (stalled)
        {
            Assert.Equal(204, await app.Client.TusAsync("DELETE", url).StatusOfAsync());
            Assert.Equal(404, await app.Client.TusAsync("HEAD", url).StatusOfAsync());
            Assert.NotNull(await stalled.ReadResponseAsync());
        }

        Assert.Empty(Directory.EnumerateFiles(app.App.App.Directory, "*.data", SearchOption.AllDirectories));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Idle_timeout_returns_503_with_offset(string place)
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using ObservedTusApp app = await ObservedTusApp.StartAsync(place, static options => options.Timeouts.IdleTimeout = TimeSpan.FromSeconds(30), time);
        (string url, RawConnection stalled) = await app.StallAsync(File, MiB);
        await using (stalled)
        {
            Task<RawResponse?> responding = stalled.ReadResponseAsync();
            await Eventually.TrueAsync(() => responding.IsCompleted, "the server responded", () => time.Advance(TimeSpan.FromSeconds(1)));
            RawResponse? response = await responding;
            Assert.Equal((503, MiB.ToString(CultureInfo.InvariantCulture)), (response?.Status, response?.Header("Upload-Offset")));
        }

        Assert.Equal(MiB, await app.Client.OffsetAsync(url));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Rejection_is_sent_instead_of_100_continue(string place)
    {
        await using ObservedTusApp app = await ObservedTusApp.StartAsync(place, static options => options.MaxUploadSize = 10_000);
        string url = await app.Client.CreateAsync(TusApp.Url, 1_000);
        string gone = url[..^1] + (url[^1] == '0' ? '1' : '0');
        const string Type = "Content-Type: application/offset+octet-stream";
        (string Line, string[] Headers, int Status)[] rejected =
        [
            ($"PATCH {url}", [Type, "Upload-Offset: 5", "Content-Length: 10"], 409),
            ($"PATCH {gone}", [Type, "Upload-Offset: 0", "Content-Length: 10"], 404),
            ($"PATCH {url}", [Type, "Upload-Offset: 0", "Content-Length: 1001"], 413),
            ($"PATCH {url}", [Type, "Upload-Offset: x", "Content-Length: 10"], 400),
            ($"PATCH {url}", ["Upload-Offset: 0", "Content-Length: 10"], 415),
            ($"PATCH {url}", [Type, "Upload-Offset: 0", "Content-Length: 10", "Upload-Checksum: sha1 x"], 400),
            ($"POST {TusApp.Url}", [Type, "Upload-Length: 10001", "Content-Length: 10"], 413),
            ($"POST {TusApp.Url}", [Type, "Upload-Length: 9", "Content-Length: 10"], 413),
            ($"POST {TusApp.Url}", [Type, "Content-Length: 10"], 400),
            ($"POST {TusApp.Url}", ["Upload-Length: 10", "Content-Length: 10"], 415),
        ];
        foreach ((string line, string[] headers, int status) in rejected)
        {
            await using RawConnection connection = await RawConnection.OpenAsync(app.App.Address);
            await connection.SendHeadAsync(line, ["Tus-Resumable: 1.0.0", "Expect: 100-continue", .. headers]);
            RawResponse? first = await connection.ReadResponseAsync();
            Assert.Equal((line, headers[^1], status), (line, headers[^1], first?.Status));
            Assert.Equal("1.0.0", first!.Header("Tus-Resumable"));
        }

        await using RawConnection good = await app.BeginAsync(url, 0, 1_000, "Expect: 100-continue");
        Assert.Equal(100, (await good.ReadResponseAsync())?.Status);
        await good.SendAsync(new byte[1_000]);
        Assert.Equal(204, (await good.ReadResponseAsync())?.Status);
    }

    [Theory]
    [MemberData(nameof(PlacesAndFraming))]
    public async Task Four_concurrent_chunks_at_one_offset_store_at_most_one(string place, bool isChunked)
    {
        for (int round = 0; round < 5; round++)
        {
            await using ObservedTusApp app = await ObservedTusApp.StartAsync(place);
            string url = await app.Client.CreateAsync(TusApp.Url, 2 * MiB);
            byte[][] bodies = [.. Enumerable.Range(0, 4).Select(static _ => RandomNumberGenerator.GetBytes(MiB))];
            int[] statuses = await Task.WhenAll(bodies.Select(async body =>
            {
                await using RawConnection connection = await app.BeginAsync(url, 0, isChunked ? null : body.Length);
                try
                {
                    for (int at = 0; at < body.Length; at += 64 * 1024)
                    {
                        ReadOnlyMemory<byte> part = body.AsMemory(at, 64 * 1024);
                        await (isChunked ? connection.SendChunkAsync(part) : connection.SendAsync(part));
                    }

                    await (isChunked ? connection.SendChunkAsync(default) : Task.CompletedTask);
                }
                catch (IOException)
                {
                    // The server has responded and does not read the rest.
                }

                return (await connection.ReadResponseAsync())?.Status ?? 0;
            }));
            Assert.True(statuses.Count(static status => status == 204) <= 1, string.Join(", ", statuses));
            Assert.All(statuses, static status => Assert.Contains(status, new[] { 0, 204, 400, 409, 423, 503 }));
            long offset = await app.Client.OffsetAsync(url);
            byte[] content = await app.ContentAsync(url);
            Assert.Equal(offset, content.Length);
            Assert.Contains(bodies, body => body.AsSpan(0, content.Length).SequenceEqual(content));
        }
    }
}

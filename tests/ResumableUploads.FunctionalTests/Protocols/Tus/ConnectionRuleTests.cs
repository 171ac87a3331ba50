using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>What happens on connections: T-24 to T-28, T-41, T-55.</summary>
public class ConnectionRuleTests
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
    public async Task T24_a_reset_or_a_cut_after_1_MiB_keeps_all_that_was_delivered(string place, bool isChunked)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
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

            await app.Store.WaitingAsync(WatchedTusApp.KeyOf(url), MiB);
            if (isChunked)
            {
                // In the middle of the next chunk.
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
        Assert.Equal(204, await app.Client.PieceAsync(url, MiB, File[MiB..]).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T41_a_creation_that_is_cut_off_leaves_an_upload_that_expires(string place)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
        await using (RawConnection connection = await RawConnection.OpenAsync(app.App.Address))
        {
            await connection.SendHeadAsync(
                $"POST {TusApp.Url}", "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", $"Upload-Length: {File.Length}", $"Content-Length: {File.Length}");
            await connection.SendAsync(File.AsMemory(0, MiB));
            connection.Finish();

            // Whoever closes only one half still hears where the upload is.
            RawResponse? cut = await connection.ReadResponseAsync();
            if (cut?.Header("Location") is { } url)
            {
                Assert.Equal(503, cut.Status);
                Assert.Equal(cut.Header("Upload-Offset"), (await app.Client.OffsetAsync(url)).ToString(CultureInfo.InvariantCulture));
                Assert.NotNull(cut.Header("Upload-Expires"));
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
    public async Task T24_who_is_taken_over_is_told_with_a_409_and_the_offset(string place)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
        (string url, RawConnection silent) = await app.StallAsync(File, MiB);
        await using (silent)
        {
            Assert.Equal(204, await app.Client.PieceAsync(url, MiB, File[MiB..]).StatusOfAsync());
            RawResponse? told = await silent.ReadResponseAsync();
            Assert.Equal((409, MiB.ToString(CultureInfo.InvariantCulture)), (told?.Status, told?.Header("Upload-Offset")));
        }

        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T21_a_stale_piece_does_not_push_out_the_one_that_goes_on(string place)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
        (string url, RawConnection holder) = await app.StallAsync(File, MiB);
        await using (holder)
        {
            foreach ((long offset, int length, int status) in new[] { (0L, 10, 409), (5L, 0, 409), (MiB, 3 * MiB, 413) })
            {
                Assert.Equal(status, await app.Client.PieceAsync(url, offset, new byte[length]).StatusOfAsync());
            }

            await holder.SendAsync(File.AsMemory(MiB));
            Assert.Equal(204, (await holder.ReadResponseAsync())?.Status);
        }

        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T55_a_delete_does_not_wait_for_a_silent_piece(string place)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
        (string url, RawConnection silent) = await app.StallAsync(File, MiB);
        await using (silent)
        {
            Assert.Equal(204, await app.Client.TusAsync("DELETE", url).StatusOfAsync());
            Assert.Equal(404, await app.Client.TusAsync("HEAD", url).StatusOfAsync());
            Assert.NotNull(await silent.ReadResponseAsync());
        }

        Assert.Empty(Directory.EnumerateFiles(app.App.App.Directory, "*.data", SearchOption.AllDirectories));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T25_a_client_that_is_silent_for_too_long_is_told_to_come_again(string place)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place, static options => options.Timeouts.IdleTimeout = TimeSpan.FromSeconds(1));
        (string url, RawConnection silent) = await app.StallAsync(File, MiB);
        await using (silent)
        {
            RawResponse? told = await silent.ReadResponseAsync();
            Assert.Equal((503, MiB.ToString(CultureInfo.InvariantCulture)), (told?.Status, told?.Header("Upload-Offset")));
        }

        Assert.Equal(MiB, await app.Client.OffsetAsync(url));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task T28_and_T42_a_refusal_comes_instead_of_100_continue(string place)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place, static options => options.MaxUploadSize = 10_000);
        string url = await app.Client.CreateAsync(TusApp.Url, 1_000);
        string gone = url[..^1] + (url[^1] == '0' ? '1' : '0');
        const string Type = "Content-Type: application/offset+octet-stream";
        (string Line, string[] Headers, int Status)[] refused =
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
        foreach ((string line, string[] headers, int status) in refused)
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
    public async Task T21_of_four_pieces_at_one_offset_at_once_one_at_most_is_taken(string place, bool isChunked)
    {
        for (int round = 0; round < 5; round++)
        {
            await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
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
                    // The answer is there, and nothing more is taken.
                }

                return (await connection.ReadResponseAsync())?.Status ?? 0;
            }));
            Assert.True(statuses.Count(static status => status == 204) <= 1, string.Join(", ", statuses));
            Assert.All(statuses, static status => Assert.Contains(status, new[] { 0, 204, 409, 423, 503 }));
            long offset = await app.Client.OffsetAsync(url);
            byte[] content = await app.ContentAsync(url);
            Assert.Equal(offset, content.Length);
            Assert.Contains(bodies, body => body.AsSpan(0, content.Length).SequenceEqual(content));
        }
    }
}

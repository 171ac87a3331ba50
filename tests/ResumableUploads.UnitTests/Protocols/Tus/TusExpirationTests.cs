using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>Expiration and termination (tus 1.0.0, Expiration and Termination).</summary>
public class TusExpirationTests
{
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Every_response_about_unfinished_upload_carries_Upload_Expires(string place)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero));
        await using TusApp app = await StartAsync(place, time);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "10"));
        Assert.Equal("Sun, 01 Mar 2026 11:00:00 GMT", created.Header("Upload-Expires"));
        string url = created.Header("Location")!;

        time.Advance(TimeSpan.FromMinutes(30));
        using (HttpResponseMessage appended = await app.Client.AppendChunkAsync(url, 0, new byte[4]))
        {
            Assert.Equal((204, "Sun, 01 Mar 2026 11:30:00 GMT"), ((int)appended.StatusCode, appended.Header("Upload-Expires")));
        }

        (string Name, long Offset, byte[] Body, (string, string)[] Headers, int Status)[] rejected =
        [
            ("offset", 3, new byte[1], [], 409),
            ("too long", 4, new byte[7], [], 413),
            ("length", 4, [], [("Upload-Length", "11")], 400),
            ("checksum", 4, new byte[1], [("Upload-Checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=")], 460),
        ];
        foreach ((string name, long offset, byte[] body, (string, string)[] headers, int status) in rejected)
        {
            using HttpResponseMessage response = await app.Client.AppendChunkAsync(url, offset, body, headers);
            Assert.Equal((name, status, "Sun, 01 Mar 2026 11:30:00 GMT"), (name, (int)response.StatusCode, response.Header("Upload-Expires")));
        }

        using (HttpResponseMessage head = await app.Client.TusAsync("HEAD", url))
        {
            Assert.Equal("Sun, 01 Mar 2026 11:30:00 GMT", head.Header("Upload-Expires"));
            Assert.True(DateTimeOffset.TryParseExact(head.Header("Upload-Expires"), "r", CultureInfo.InvariantCulture, DateTimeStyles.None, out _));
        }

        using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 4, new byte[6]);
        Assert.Equal((204, null), ((int)last.StatusCode, last.Header("Upload-Expires")));
        using HttpResponseMessage done = await app.Client.TusAsync("HEAD", url);
        Assert.Null(done.Header("Upload-Expires"));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Unfinished_upload_expires_and_complete_upload_does_not(string place)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero));
        await using TusApp app = await StartAsync(place, time);
        string empty = await app.Client.CreateAsync(TusApp.Url, 10);
        string complete = await app.Client.CreateAsync(TusApp.Url, 3);
        Assert.Equal(204, await app.Client.AppendChunkAsync(complete, 0, new byte[3]).StatusOfAsync());
        time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(404, await app.Client.TusAsync("HEAD", empty).StatusOfAsync());
        Assert.Equal(404, await app.Client.AppendChunkAsync(empty, 0, new byte[3]).StatusOfAsync());
        Assert.Equal(3, await app.Client.OffsetAsync(complete));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task DELETE_removes_unfinished_and_complete_uploads(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string empty = await app.Client.CreateAsync(TusApp.Url, 10);
        string incomplete = await app.Client.CreateAsync(TusApp.Url, 10);
        string complete = await app.Client.CreateAsync(TusApp.Url, 3);
        Assert.Equal(204, await app.Client.AppendChunkAsync(incomplete, 0, new byte[3]).StatusOfAsync());
        Assert.Equal(204, await app.Client.AppendChunkAsync(complete, 0, new byte[3]).StatusOfAsync());
        foreach (string url in new[] { empty, incomplete, complete })
        {
            using (HttpResponseMessage deleted = await app.Client.TusAsync("DELETE", url))
            {
                Assert.Equal((204, "1.0.0", ""), ((int)deleted.StatusCode, deleted.Header("Tus-Resumable"), await deleted.Content.ReadAsStringAsync()));
            }

            Assert.Equal(404, await app.Client.TusAsync("HEAD", url).StatusOfAsync());
            Assert.Equal(404, await app.Client.AppendChunkAsync(url, 0, new byte[3]).StatusOfAsync());
            Assert.Equal(404, await app.Client.TusAsync("DELETE", url).StatusOfAsync());
        }
    }

    private static Task<TusApp> StartAsync(string place, FakeTimeProvider time) => TusApp.StartAsync(
        place,
        options =>
        {
            options.Store = new ResumableUploads.Stores.Memory.MemoryUploadStore(timeProvider: time);
            options.Expiration = TimeSpan.FromHours(1);
            options.Timeouts.CompletedRetention = TimeSpan.FromDays(1);
            options.Timeouts.SweepInterval = TimeSpan.FromHours(12);
        },
        services: builder => builder.Services.AddSingleton<TimeProvider>(time));
}

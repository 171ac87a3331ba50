using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>The latency of a client that reconnects while the server still reads from its old connection.</summary>
[Collection<Alone>]
public class TusPreemptionLatencyTests
{
    private const int StoredSize = 256 * 1024;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(StoredSize + 1_000);

    public static TheoryData<string, string> Requests
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string place in new[] { TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint })
            {
                foreach (string method in new[] { "HEAD", "PATCH", "DELETE" })
                {
                    rows.Add(place, method);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_waits_for_no_timer_while_a_chunk_is_stalled(string place, string method)
    {
        await using ObservedTusApp app = await StartAsync(place);
        await Latency.AssertAsync($"{method} at {place}", async _ =>
        {
            (string url, RawConnection stalled) = await app.StallAsync(File, StoredSize);
            await using (stalled)
            {
                return await Latency.OfAsync(() => SendAsync(app.Client, method, url));
            }
        });
    }

    [Theory]
    [MemberData(nameof(TusApp.Places), MemberType = typeof(TusApp))]
    public async Task HEAD_waits_for_no_timer_while_an_empty_append_is_stalled(string place)
    {
        await using ObservedTusApp app = await StartAsync(place);
        await Latency.AssertAsync($"HEAD of a finished upload at {place}", async _ =>
        {
            string url = await app.Client.CreateAsync(TusApp.Url, 3);
            Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]).StatusOfAsync());
            await using RawConnection stalled = await app.BeginAsync(url, 3, headers: "Expect: 100-continue");

            // The server waits for the body, because it has sent 100 Continue.
            Assert.Equal(100, (await stalled.ReadResponseAsync())?.Status);
            return await Latency.OfAsync(async () => Assert.Equal(3, await app.Client.OffsetAsync(url)));
        });
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Ten_concurrent_requests_wait_for_no_timer_and_are_consistent(string place, string method)
    {
        await using ObservedTusApp app = await StartAsync(place);
        await Latency.AssertAsync($"the slowest of ten {method} at {place}", async _ =>
        {
            (string url, RawConnection stalled) = await app.StallAsync(File, StoredSize);
            await using (stalled)
            {
                (int Status, string? Offset)[] responses = [];
                TimeSpan time = await Latency.OfAsync(async () => responses = await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
                {
                    using HttpResponseMessage response = await (method == "PATCH" ? app.Client.AppendChunkAsync(url, StoredSize, File[StoredSize..]) : app.Client.TusAsync(method, url));
                    return ((int)response.StatusCode, response.Header("Upload-Offset"));
                })));
                AssertConsistent(method, responses);
                return time;
            }
        });
    }

    private static Task<ObservedTusApp> StartAsync(string place) => ObservedTusApp.StartAsync(place, time: Latency.StoppedClock());

    private static void AssertConsistent(string method, (int Status, string? Offset)[] responses)
    {
        switch (method)
        {
            case "HEAD":
                Assert.All(responses, static response => Assert.Equal((200, StoredSize.ToString(CultureInfo.InvariantCulture)), (response.Status, response.Offset)));
                break;
            case "PATCH":
                Assert.InRange(responses.Count(static response => response.Status == 204), 0, 1);
                Assert.All(responses, static response => Assert.Contains(response.Status, new[] { 204, 400, 409, 423 }));
                break;
            default:
                Assert.Single(responses, static response => response.Status == 204);
                Assert.All(responses, static response => Assert.Contains(response.Status, new[] { 204, 404, 423 }));
                break;
        }
    }

    private static async Task SendAsync(HttpClient client, string method, string url)
    {
        switch (method)
        {
            case "HEAD":
                Assert.Equal(StoredSize, await client.OffsetAsync(url));
                break;
            case "PATCH":
                using (HttpResponseMessage last = await client.AppendChunkAsync(url, StoredSize, File[StoredSize..]))
                {
                    Assert.Equal((204, File.Length.ToString(CultureInfo.InvariantCulture)), ((int)last.StatusCode, last.Header("Upload-Offset")));
                }

                break;
            default:
                Assert.Equal(204, await client.TusAsync("DELETE", url).StatusOfAsync());
                break;
        }
    }
}

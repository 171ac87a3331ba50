using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>How long a client of tus waits that comes back while the server still believes in its old connection.</summary>
[Collection<Alone>]
public class TusStalledTimeTests
{
    private const int Rounds = 20;
    private const int Warmup = 5;
    private const int Held = 256 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(50);
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(Held + 1_000);

    public static TheoryData<string, string> Newcomers
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
    [MemberData(nameof(Newcomers))]
    public async Task T24_and_T55_each_request_answers_within_50_ms_while_a_piece_is_stalled(string place, string method)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
        var times = new List<TimeSpan>();
        for (int i = 0; i < Warmup + Rounds; i++)
        {
            (string url, RawConnection silent) = await app.StallAsync(File, Held);
            await using (silent)
            {
                long began = Stopwatch.GetTimestamp();
                await AskAsync(app.Client, method, url);
                if (i >= Warmup)
                {
                    times.Add(Stopwatch.GetElapsedTime(began));
                }
            }
        }

        AssertShort(times, $"{method} at {place}");
    }

    [Theory]
    [MemberData(nameof(TusApp.Places), MemberType = typeof(TusApp))]
    public async Task T24_a_head_answers_within_50_ms_while_a_silent_request_is_at_the_end_of_a_finished_upload(string place)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
        var times = new List<TimeSpan>();
        for (int i = 0; i < Warmup + Rounds; i++)
        {
            string url = await app.Client.CreateAsync(TusApp.Url, 3);
            Assert.Equal(204, await app.Client.PieceAsync(url, 0, [1, 2, 3]).StatusOfAsync());
            await using RawConnection silent = await app.BeginAsync(url, 3, headers: "Expect: 100-continue");

            // The server waits for the body now: it has asked for it.
            Assert.Equal(100, (await silent.ReadResponseAsync())?.Status);
            long began = Stopwatch.GetTimestamp();
            Assert.Equal(3, await app.Client.OffsetAsync(url));
            if (i >= Warmup)
            {
                times.Add(Stopwatch.GetElapsedTime(began));
            }
        }

        AssertShort(times, $"HEAD of a finished upload at {place}");
    }

    [Theory]
    [MemberData(nameof(Newcomers))]
    public async Task T24_and_T55_ten_at_once_are_answered_within_50_ms_and_with_the_truth(string place, string method)
    {
        await using WatchedTusApp app = await WatchedTusApp.StartAsync(place);
        var times = new List<TimeSpan>();
        for (int i = 0; i < Warmup + Rounds; i++)
        {
            (string url, RawConnection silent) = await app.StallAsync(File, Held);
            await using (silent)
            {
                (TimeSpan Time, int Status, string? Offset)[] answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
                {
                    long began = Stopwatch.GetTimestamp();
                    using HttpResponseMessage answer = await (method == "PATCH" ? app.Client.PieceAsync(url, Held, File[Held..]) : app.Client.TusAsync(method, url));
                    return (Stopwatch.GetElapsedTime(began), (int)answer.StatusCode, answer.Header("Upload-Offset"));
                }));
                switch (method)
                {
                    case "HEAD":
                        Assert.All(answers, static answer => Assert.Equal((200, Held.ToString(CultureInfo.InvariantCulture)), (answer.Status, answer.Offset)));
                        break;
                    case "PATCH":
                        Assert.InRange(answers.Count(static answer => answer.Status == 204), 0, 1);
                        Assert.All(answers, static answer => Assert.Contains(answer.Status, new[] { 204, 409, 423 }));
                        break;
                    default:
                        Assert.Single(answers, static answer => answer.Status == 204);
                        Assert.All(answers, static answer => Assert.Contains(answer.Status, new[] { 204, 404, 423 }));
                        break;
                }

                if (i >= Warmup)
                {
                    times.Add(answers.Max(static answer => answer.Time));
                }
            }
        }

        AssertShort(times, $"the slowest of ten {method} at {place}");
    }

    private static void AssertShort(List<TimeSpan> times, string what)
    {
        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{what}: median {times[times.Count / 2].TotalMilliseconds:F2} ms, most {times[^1].TotalMilliseconds:F2} ms"));
        Assert.InRange(times[times.Count / 2], TimeSpan.Zero, Limit);
    }

    private static async Task AskAsync(HttpClient client, string method, string url)
    {
        switch (method)
        {
            case "HEAD":
                Assert.Equal(Held, await client.OffsetAsync(url));
                break;
            case "PATCH":
                using (HttpResponseMessage last = await client.PieceAsync(url, Held, File[Held..]))
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

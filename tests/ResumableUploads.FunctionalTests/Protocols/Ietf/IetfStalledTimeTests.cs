using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>How long a client of the draft waits that comes back while the server still believes in its old connection .</summary>
[Collection<Alone>]
public class IetfStalledTimeTests
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
                foreach (string method in new[] { "HEAD", "GET", "PATCH", "DELETE" })
                {
                    rows.Add(place, method);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Newcomers))]
    public async Task R91_and_R102_each_request_answers_within_50_ms_while_an_append_is_stalled(string place, string method)
    {
        await using WatchedIetfApp app = await WatchedIetfApp.StartAsync(place);
        var times = new List<TimeSpan>();
        for (int i = 0; i < Warmup + Rounds; i++)
        {
            (string url, RawConnection silent) = await app.StallAsync(File, Held);
            await using (silent)
            {
                long began = Stopwatch.GetTimestamp();
                using HttpResponseMessage answer = await (method == "PATCH" ? app.Client.AppendAsync(url, Held, true, File[Held..]) : app.Client.IetfAsync(method, url, IetfClient.Newest));
                if (i >= Warmup)
                {
                    times.Add(Stopwatch.GetElapsedTime(began));
                }

                string? offset = method switch { "PATCH" => $"{File.Length}", "DELETE" => null, _ => $"{Held}" };
                Assert.Equal((true, offset), (answer.IsSuccessStatusCode, answer.Header("Upload-Offset")));
            }
        }

        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{method} at {place}: median {times[times.Count / 2].TotalMilliseconds:F2} ms, most {times[^1].TotalMilliseconds:F2} ms"));
        Assert.InRange(times[times.Count / 2], TimeSpan.Zero, Limit);
    }
}

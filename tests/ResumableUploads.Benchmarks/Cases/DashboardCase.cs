using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Measures the page of the dashboard with many uploads, of many owners and of one.</summary>
internal static class DashboardCase
{
    private const int Many = 1_000_000;
    private const int ManyInQuickMode = 20_000;
    private const int UploadsPerOwner = 1_000;
    private const int WarmUps = 30;
    private const int RequestsPerRound = 20;
    private const double MaxMilliseconds = 200;
    private const double MaxMebibytes = 50;

    /// <summary>An id in the middle of those of an owner, which are hashes.</summary>
    private const string MiddleId = "8";

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        int count = run.Uploads ?? (run.Quick ? ManyInQuickMode : Many);
        foreach (int perOwner in (int[])[UploadsPerOwner, count])
        {
            string owners = perOwner == count ? "one owner" : string.Create(CultureInfo.InvariantCulture, $"{count / perOwner:N0} owners");
            using (ServerProcess server = ServerProcess.Start(
                new ServeArguments(ServerKind.Dashboard, workDirectory.CreateSubdirectory("memory"), InMemory: true, MemoryUploads: new MemoryUploads(count, perOwner))))
            {
                Measure(string.Create(CultureInfo.InvariantCulture, $"dashboard: memory store, {count:N0} uploads, {owners}"), server, run, report, count / perOwner);
            }

            string name = string.Create(CultureInfo.InvariantCulture, $"dashboard: files, {count:N0} uploads, {owners}");
            if (PrefilledStore.GetCapacityProblem(count, workDirectory.Root) is { } reason)
            {
                report.AddMissing(name, reason);
                continue;
            }

            using var uploads = new PrefilledStore(workDirectory.CreateSubdirectory("files"));
            uploads.Fill(count, perOwner);
            using ServerProcess files = uploads.Serve(ServerKind.Dashboard);
            Measure(name, files, run, report, count / perOwner);
        }
    }

    private static void Measure(string name, ServerProcess server, BenchmarkArguments run, Report report, int owners)
    {
        using var client = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{server.Port}/dashboard")) };
        string middle = "after=" + Uri.EscapeDataString(string.Create(CultureInfo.InvariantCulture, $"0:owner-{owners / 2}/{MiddleId}"));
        foreach ((string page, string query) in ((string, string)[])
            [("first page", ""), ("page in the middle", "?" + middle), ("one state", "?state=Receiving"), ("rare state, from the middle", "?state=Completed&" + middle),
             ("search by id", "?id=zzzz"), ("one owner", $"?owner=owner-{owners / 2}")])
        {
            Request(client, query, WarmUps);
            long peakBefore = server.Peak();
            double allocatedBefore = server.Allocated();
            int requests = RequestsPerRound * run.Rounds;
            double[] times = Request(client, query, requests);
            double allocated = (server.Allocated() - allocatedBefore) / requests;
            double? atMost = query.Contains("id=", StringComparison.Ordinal) ? null : MaxMilliseconds;
            report.AddAbsolute($"{name}: {page}", "median, ms", "0.0", Statistics.Percentile(times, 50), atMost: atMost);
            report.AddAbsolute($"{name}: {page}", "p99, ms", "0.0", Statistics.Percentile(times, 99), atMost: atMost);
            report.AddAbsolute($"{name}: {page}", "allocated per request, MiB", "0.00", allocated / (1 << 20), atMost: MaxMebibytes);

            // Includes the garbage of all these requests and of the sweep.
            report.AddAbsolute($"{name}: {page}", "growth of the peak memory of the process, MiB", "0.0", (server.Peak() - peakBefore) / (double)(1 << 20));
        }
    }

    /// <summary>Requests a page repeatedly, and returns the times in milliseconds.</summary>
    private static double[] Request(HttpClient client, string query, int count)
    {
        var times = new double[count];
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            using HttpResponseMessage response = client.GetAsync(query.Length == 0 ? "" : query).GetAwaiter().GetResult();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            response.EnsureSuccessStatusCode();
        }

        return times;
    }
}

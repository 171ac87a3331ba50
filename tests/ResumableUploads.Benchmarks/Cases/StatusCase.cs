using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Measures status requests to an incomplete upload.</summary>
internal static class StatusCase
{
    private const int WarmUps = 8;
    private const int Slices = 3;
    private const int ReceivedLength = 100_000;

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        Compare(run, workDirectory, report, "status", Durability.ProcessCrash, atLeast: 0.85);
        Compare(run, workDirectory, report, "status, PowerLoss", Durability.PowerLoss, atLeast: null);
    }

    private static void Compare(BenchmarkArguments run, WorkDirectory workDirectory, Report report, string name, Durability durability, double? atLeast)
    {
        string bare = workDirectory.CreateSubdirectory("bare");
        BareServer.PrepareStatus(bare, ReceivedLength);
        using ServerProcess ourServer = ServerProcess.Start(new ServeArguments(ServerKind.Ours, workDirectory.CreateSubdirectory("ours"), durability));
        using ServerProcess bareServer = ServerProcess.Start(new ServeArguments(ServerKind.Bare, bare, durability));
        using (RawHttpConnection connection = RawHttpConnection.Open(ourServer.Port))
        {
            connection.Send(RawHttpConnection.CreateRequestHead("POST /upload", "X-File-Id: status", $"X-File-Size: {2 * ReceivedLength}", $"Content-Length: {ReceivedLength}"));
            connection.Send(new byte[ReceivedLength]);
            connection.ReadResponse().ExpectStatus(200);
        }

        InterleavedRounds<RequestLoopResult> rounds = InterleavedRounds<RequestLoopResult>.Measure(
            WarmUps, (run.Quick ? 1 : Slices) * run.Rounds, () => RunRequests(ourServer, run.SliceDuration), () => RunRequests(bareServer, run.SliceDuration));
        report.Add(name, "requests/s", "0", rounds.Compare(0, 1, static result => result.RequestsPerSecond), atLeast);
        report.Add(name, "server CPU, µs per request", "0.0", rounds.Compare(0, 1, static result => result.ProcessorTimePerRequest));
    }

    private static RequestLoopResult RunRequests(ServerProcess server, TimeSpan duration)
    {
        var request = new PlannedRequest(RawHttpConnection.CreateRequestHead("GET /status", "X-File-Id: status"), ReceivedLength);
        return RequestLoop.Run(server, duration, _ => request);
    }
}

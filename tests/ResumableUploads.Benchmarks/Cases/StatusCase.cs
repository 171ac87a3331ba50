using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>The status of an upload that is there and unfinished, asked over and over.</summary>
internal static class StatusCase
{
    private const int WarmUps = 8;
    private const int Slices = 3;
    private const int Held = 100_000;

    public static void Run(RunArguments run, WorkPlace place, Report report)
    {
        Compare(run, place, report, "status", Durability.Process, atLeast: 0.85);
        Compare(run, place, report, "status, PowerLoss", Durability.PowerLoss, atLeast: null);
    }

    private static void Compare(RunArguments run, WorkPlace place, Report report, string name, Durability durability, double? atLeast)
    {
        string bare = place.NewDirectory("bare");
        BareServer.PrepareStatus(bare, Held);
        using ServerProcess ourServer = ServerProcess.Start(new ServeArguments(ServerKind.Ours, place.NewDirectory("ours"), durability));
        using ServerProcess bareServer = ServerProcess.Start(new ServeArguments(ServerKind.Bare, bare, durability));
        using (Wire wire = Wire.Open(ourServer.Port))
        {
            wire.Send(Wire.Head("POST /upload", "X-File-Id: status", $"X-File-Size: {2 * Held}", $"Content-Length: {Held}"));
            wire.Send(new byte[Held]);
            wire.Read().Expect(200);
        }

        Rounds<Asked> rounds = Rounds<Asked>.Measure(
            WarmUps, (run.Quick ? 1 : Slices) * run.Rounds, () => Ask(ourServer, run.Slice), () => Ask(bareServer, run.Slice));
        report.Add(name, "requests/s", "0", rounds.Compare(0, 1, static asked => asked.Rate), atLeast);
        report.Add(name, "server CPU, µs per request", "0.0", rounds.Compare(0, 1, static asked => asked.ProcessorTime));
    }

    private static Asked Ask(ServerProcess server, TimeSpan slice)
    {
        var question = new Question(Wire.Head("GET /status", "X-File-Id: status"), Held);
        return Asking.Ask(server, slice, _ => question);
    }
}

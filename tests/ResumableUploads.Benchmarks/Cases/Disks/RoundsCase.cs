using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases.Disks;

/// <summary>
/// Measures the latency of each operation on a disk that takes 5 ms for a sync. The ratio to a bare server that writes, syncs once and renames is
/// the number of rounds: of syncs that wait for one another.
/// </summary>
internal static class RoundsCase
{
    private const int Repetitions = 30;
    private const int WarmUps = 10;

    /// <summary>The part of a round that the rest of a request may take.</summary>
    private const double Tolerance = 0.25;

    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(5);

    public static void Run(Durability durability, BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        string name = durability == Durability.PowerLoss ? "rounds" : $"rounds, {durability}";
        if (SyncDelay.UnavailableReason is { } reason)
        {
            report.AddMissing(name, reason);
            return;
        }

        using var bare = new RoundsClient(workDirectory, ServerKind.Bare, Durability.PowerLoss, CompletionHandler.None, Delay);
        using var ours = new RoundsClient(workDirectory, ServerKind.Ours, durability, CompletionHandler.None, Delay);
        using var returns = new RoundsClient(workDirectory, ServerKind.Ours, durability, CompletionHandler.Return, Delay);
        using var moves = new RoundsClient(workDirectory, ServerKind.Ours, durability, CompletionHandler.Move, Delay);
        RoundsOperation[] operations =
        [
            new("bare: file", null, () => bare.SendBareFile()),
            new("file in one request", 2, () => ours.SendFile(UploadProtocol.FileId)),
            new("file in one request, handler", null, () => returns.SendFile(UploadProtocol.FileId)),
            new("file in one request, handler moves", 4, () => moves.SendFile(UploadProtocol.FileId)),
            new("tus creation", 2, () => ours.Create(UploadProtocol.Tus)),
            new("IETF creation", 2, () => ours.Create(UploadProtocol.Ietf)),
            new("append", 1, () => ours.Append(isLast: false)),
            new("last append", 2, () => ours.Append(isLast: true)),
            new("last append, handler", null, () => returns.Append(isLast: true)),
            new("last append, handler moves", 4, () => moves.Append(isLast: true)),
            new("cancel", 1, () => ours.Cancel()),
        ];
        InterleavedRounds<RoundsSample> rounds = InterleavedRounds<RoundsSample>.Measure(
            WarmUps, run.RequestedRounds ?? Repetitions, [.. operations.Select(static operation => operation.Measure)]);
        for (int i = 0; i < operations.Length; i++)
        {
            RoundsOperation operation = operations[i];
            double? atMost = durability == Durability.PowerLoss ? operation.MaxRounds + Tolerance : null;
            if (i > 0)
            {
                report.Add($"{name}: {operation.Name}", "latency, ms; ratio = rounds", "0.00", rounds.Compare(i, 0, static sample => sample.Milliseconds), atMost: atMost);
            }

            report.AddAbsolute($"{name}: {operation.Name}", "syncs", "0.0", rounds.Median(i, static sample => sample.Syncs));
        }
    }

    private sealed record RoundsOperation(string Name, int? MaxRounds, Func<RoundsSample> Measure);
}

/// <summary>One operation.</summary>
/// <param name="Milliseconds">Its latency.</param>
/// <param name="Syncs">The number of syncs of the server up to the response.</param>
internal readonly record struct RoundsSample(double Milliseconds, long Syncs);

using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Abstractions;
using ResumableUploads.Tests.Crashes;
using ResumableUploads.Tests.Network;

namespace ResumableUploads.Tests.Soak;

/// <summary>
/// All kinds of faults at the same time, for as long as RESUMABLE_UPLOADS_SOAK_MINUTES says: servers that are killed, power that goes, lines that
/// break in every protocol. Usual: one round of each. RESUMABLE_UPLOADS_CRASH_SEED repeats a run.
/// </summary>
public class SoakTests(ITestOutputHelper output)
{
    private const int InFlight = 8;
    private const int MaxSize = 1 << 20;
    private const int Lines = 60;

    private readonly long _began = TimeProvider.System.GetTimestamp();
    private volatile bool _failed;

    [Fact]
    public async Task Everything_at_once_loses_nothing()
    {
        int seed = CrashSettings.Seed;
        output.WriteLine($"RESUMABLE_UPLOADS_CRASH_SEED={seed}");
        Total[] totals = await Task.WhenAll(
            RunAsync(() => KillAsync(Durability.Process, seed)),
            RunAsync(() => KillAsync(Durability.PowerLoss, seed + 1)),
            RunAsync(() => CutPowerAsync("ext4", seed + 2)),
            RunAsync(() => CutPowerAsync("xfs", seed + 3)),
            RunAsync(() => BreakLinesAsync("file-id", NetworkApp.SyncedFiles, seed + 4)),
            RunAsync(() => BreakLinesAsync("tus", NetworkApp.Files, seed + 5)),
            RunAsync(() => BreakLinesAsync("ietf", NetworkApp.SyncedFiles, seed + 6)));
        output.WriteLine("| what | uploads | faults | bytes | losses |");
        output.WriteLine("|---|---|---|---|---|");
        foreach (Total total in totals)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {total.What} | {total.Uploads:N0} | {total.Faults:N0} | {total.Bytes:N0} | 0 |"));
            Assert.InRange(total.Uploads, 1, int.MaxValue);
            Assert.InRange(total.Faults, 1, int.MaxValue);
        }
    }

    /// <summary>The first loss ends all.</summary>
    private async Task<Total> RunAsync(Func<Task<Total>> part)
    {
        try
        {
            return await Task.Run(part);
        }
        catch
        {
            _failed = true;
            throw;
        }
    }

    private bool GoesOn() => !_failed && TimeProvider.System.GetElapsedTime(_began) < CrashSettings.Soak;

    private async Task<Total> KillAsync(Durability durability, int seed)
    {
        using var directory = new UploadDirectory();
        return await CrashAsync($"killed, durable for {durability}", directory, new ProcessDeath(), durability, seed);
    }

    private async Task<Total> CutPowerAsync(string fileSystem, int seed)
    {
        await using LoopDisk disk = await LoopDisk.MountAsync(fileSystem);
        return await CrashAsync($"without power, {fileSystem}", new UploadDirectory(Path.Combine(disk.Path, "uploads")), new PowerLoss(disk), Durability.PowerLoss, seed);
    }

    private async Task<Total> CrashAsync(string what, UploadDirectory directory, Crash crash, Durability durability, int seed)
    {
        var run = new KillRun(directory, crash, new Random(seed), InFlight, MaxSize, [$"ResumableUploads:Durability={durability}", .. KillRun.Usual]);
        int rounds = 0;
        do
        {
            await run.RoundAsync();
            rounds++;

            // They are compared already, and the disk is small.
            foreach (string finished in directory.FinishedFiles.Where(file => run.HasLeft(Path.GetFileName(file))))
            {
                File.Delete(finished);
            }
        }
        while (GoesOn());

        await run.FinishAsync();
        return new Total(what, run.Finished, rounds, run.Bytes);
    }

    private async Task<Total> BreakLinesAsync(string protocol, string store, int seed)
    {
        var counts = new FaultCounts();
        long bytes = 0;
        int next = seed % 1_000_000;
        do
        {
            await using NetworkApp app = await NetworkApp.StartAsync(store);
            var runs = new NetworkRuns(app, protocol, HttpProtocols.Http1, counts);
            if (await runs.RunAsync(Lines, next) is { } found)
            {
                Assert.Fail(found);
            }

            next += Lines;
            bytes += runs.Bytes;
        }
        while (GoesOn());

        return new Total($"over lines that break, {protocol}, {store}", counts.Of("runs"), counts.OfFaults, bytes);
    }

    private sealed record Total(string What, int Uploads, int Faults, long Bytes);
}

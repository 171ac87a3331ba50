using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>
/// A server is killed at random points of uploads and restarted. RESUMABLE_UPLOADS_CRASH_ROUNDS sets the number of rounds,
/// RESUMABLE_UPLOADS_CRASH_SEED repeats a run.
/// </summary>
public class KillTests(ITestOutputHelper output)
{
    private const int InFlight = 4;
    private const int MaxSize = 1 << 18;

    [Theory]
    [InlineData(Durability.ProcessCrash, 150)]
    [InlineData(Durability.PowerLoss, 50)]
    public async Task Kill_keeps_every_acknowledged_byte_and_each_file_completes_once(Durability durability, int rounds)
    {
        if (CrashSettings.Rounds is { } wanted)
        {
            rounds = Math.Max(1, wanted * rounds / 200);
        }

        int seed = CrashSettings.Seed;
        output.WriteLine($"RESUMABLE_UPLOADS_CRASH_SEED={seed}, {rounds} rounds");
        using var directory = new UploadDirectory();
        var run = new KillRun(directory, new ProcessDeath(), new Random(seed), InFlight, MaxSize, [$"ResumableUploads:FileSystem:Durability={durability}", .. KillRun.Usual]);
        await run.RunAsync(rounds);
        output.WriteLine(run.ToString());
    }
}

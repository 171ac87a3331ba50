using ResumableUploads.Abstractions;

namespace ResumableUploads.Tests.Crashes;

/// <summary>
/// The power goes under a running server, on a file system of the machine's own kernel, and comes back. More rounds:
/// RESUMABLE_UPLOADS_CRASH_ROUNDS. The same ones again: RESUMABLE_UPLOADS_CRASH_SEED.
/// </summary>
public class PowerLossTests(ITestOutputHelper output)
{
    private const int InFlight = 4;
    private const int MaxSize = 1 << 18;
    private const int Rounds = 8;

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    public async Task Every_acknowledged_byte_is_there_after_a_loss_of_power(string fileSystem)
    {
        await using LoopDisk disk = await LoopDisk.MountAsync(fileSystem);
        int rounds = CrashSettings.Rounds is { } wanted ? Math.Max(1, wanted * Rounds / 200) : Rounds;
        var power = new PowerLoss(disk);
        KillRun run = Run(disk, power, Durability.PowerLoss);
        for (int round = 0; round < rounds; round++)
        {
            await run.RoundAsync();
        }

        await run.FinishAsync();
        output.WriteLine($"{power.Cuts} losses of power. {run}");
        Assert.Equal(rounds, power.Cuts);
        run.AssertThatItHitSomething(rounds);
    }

    [Fact]
    public async Task The_same_run_finds_what_is_lost_where_nothing_is_synced()
    {
        await using LoopDisk disk = await LoopDisk.MountAsync("ext4");
        KillRun run = Run(disk, new PowerLoss(disk), Durability.Process);
        Exception loss = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                await run.RoundAsync();
            }
        });
        output.WriteLine(loss.Message);
        Assert.Matches(@"bytes were acknowledged, and|is not what was sent|The content has gone|bytes are on the disk|Assert\.(Equal|Single|Empty)", loss.Message);
    }

    private KillRun Run(LoopDisk disk, PowerLoss power, Durability durability)
    {
        int seed = CrashSettings.Seed;
        output.WriteLine($"RESUMABLE_UPLOADS_CRASH_SEED={seed}");
        return new KillRun(
            new UploadDirectory(Path.Combine(disk.Path, "uploads")), power, new Random(seed), InFlight, MaxSize, [$"ResumableUploads:Durability={durability}", .. KillRun.Usual]);
    }
}

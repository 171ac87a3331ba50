using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using Xunit.Sdk;

namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>
/// Power loss under a running server, on a real kernel file system. RESUMABLE_UPLOADS_CRASH_ROUNDS sets the number of rounds,
/// RESUMABLE_UPLOADS_CRASH_SEED repeats a run.
/// </summary>
public class PowerLossTests(ITestOutputHelper output)
{
    private const int InFlight = 4;
    private const int MaxSize = 1 << 18;
    private const int Rounds = 8;
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(8);

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    public async Task Power_loss_keeps_every_acknowledged_byte(string fileSystem)
    {
        await using LoopDisk disk = await LoopDisk.MountAsync(fileSystem);
        int rounds = CrashSettings.Rounds is { } wanted ? Math.Max(1, wanted * Rounds / 200) : Rounds;
        var power = new PowerLoss(disk);
        KillRun run = Run(disk, power, Durability.PowerLoss);
        rounds = await run.RunAsync(rounds);
        output.WriteLine($"{power.Cuts} losses of power. {run}");
        Assert.Equal(rounds, power.Cuts);
    }

    /// <summary>A power loss leaves files in states that never occur without one. The next power loss happens on such files.</summary>
    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    public async Task Repeated_power_losses_keep_every_acknowledged_byte(string fileSystem)
    {
        const int Losses = 4;
        const int Chunk = 300;
        await using LoopDisk disk = await LoopDisk.MountAsync(fileSystem);
        var directory = new UploadDirectory(Path.Combine(disk.Path, "uploads"));
        var power = new PowerLoss(disk);
        byte[] source = new byte[Losses * Chunk];
        new Random(Losses).NextBytes(source);
        var upload = new KilledUpload("one.bin", source, seed: 1);
        for (int loss = 0; loss <= Losses; loss++)
        {
            await using ChildHost child = await power.StartAsync(directory.Root, [$"ResumableUploads:FileSystem:Durability={Durability.PowerLoss}"]);
            long offset = loss == 0 ? 0 : await upload.VerifyAsync(child.Client, directory);

            // The first power loss happens on an empty upload.
            byte[] chunk = loss == 0 ? [] : source[(int)offset..((int)offset + Chunk)];
            using HttpResponseMessage response = await child.Client.AppendAsync(upload.Name, offset, new ByteArrayContent(chunk), source.Length + 1);
            Assert.Equal((offset + chunk.Length).ToString(CultureInfo.InvariantCulture), response.Header("X-Start-Byte"));
            upload.Acknowledge(offset + chunk.Length);
            power.Trigger(child);
            await child.EndAsync();
            await power.RecoverAsync();
        }
    }

    [Fact]
    public async Task Power_loss_without_syncs_is_detected()
    {
        await using LoopDisk disk = await LoopDisk.MountAsync("ext4");
        KillRun run = Run(disk, new PowerLoss(disk), Durability.ProcessCrash);
        InvalidOperationException loss = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            long start = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(start) < MaxTime)
            {
                await run.RoundAsync();
            }
        });
        output.WriteLine(loss.Message);

        // An assertion failed, or a file did not exist. A server that could not be started is no loss.
        Assert.True(loss.InnerException is XunitException or FileNotFoundException or DirectoryNotFoundException, loss.ToString());
    }

    private KillRun Run(LoopDisk disk, PowerLoss power, Durability durability)
    {
        int seed = CrashSettings.Seed;
        output.WriteLine($"RESUMABLE_UPLOADS_CRASH_SEED={seed}");
        return new KillRun(
            new UploadDirectory(Path.Combine(disk.Path, "uploads")), power, new Random(seed), InFlight, MaxSize, [$"ResumableUploads:FileSystem:Durability={durability}", .. KillRun.Usual]);
    }
}

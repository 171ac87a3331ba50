using ResumableUploads.FaultTests.Crashes;
using ResumableUploads.FaultTests.Network;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>A short soak with each fault of the server at least once. The command <c>soak --minutes N</c> runs a long one.</summary>
public class SoakTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Everything_at_once_loses_nothing()
    {
        int seed = CrashSettings.Seed;
        output.WriteLine($"RESUMABLE_UPLOADS_CRASH_SEED={seed}");
        SoakTotals totals = await new SoakRun("ext4", seed).RunAsync(TimeSpan.Zero);
        output.WriteLine(SoakTotals.Table([totals]));
        output.WriteLine(totals.Counts.ToString());
        Assert.InRange(totals.Uploads, 1, int.MaxValue);
        Assert.InRange(totals.Counts.OfFaults, 1, int.MaxValue);
        Assert.All(Enum.GetValues<ServerFault>(), fault => Assert.InRange(totals.Of(fault), 1, int.MaxValue));
    }

    [Fact]
    public async Task A_server_that_syncs_nothing_is_found()
    {
        var run = new SoakRun("ext4", CrashSettings.Seed, "ResumableUploads:FileSystem:Durability=ProcessCrash");
        NetworkFault loss = await Assert.ThrowsAsync<NetworkFault>(() => run.RunAsync(TimeSpan.FromMinutes(1)));
        output.WriteLine(loss.Message);
        Assert.Matches("seed [0-9]+: ((file-id|tus|ietf), upload )?(file-id|tus|ietf)-", loss.Message);
    }

    [Theory]
    [InlineData]
    [InlineData("--minutes")]
    [InlineData("--minutes", "0")]
    [InlineData("--minutes", "-1")]
    [InlineData("--minutes", "1.5")]
    [InlineData("--minutes", "2", "--seed")]
    [InlineData("--minutes", "2", "--seed", "x")]
    [InlineData("--hours", "2")]
    public async Task Arguments_that_are_not_understood_are_exit_code_2(params string[] arguments) => Assert.Equal(2, await SoakCommand.RunAsync(arguments));

    [Fact]
    public void The_time_and_the_seed_are_read() =>
        Assert.Equal(new SoakCommand(TimeSpan.FromMinutes(20), 7), SoakCommand.Parse(["--minutes", "20", "--seed", "7"]));
}

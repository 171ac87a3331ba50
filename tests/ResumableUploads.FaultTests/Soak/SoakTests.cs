using ResumableUploads.FaultTests.Crashes;
using ResumableUploads.FaultTests.Network;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>A short soak with each fault of the server at least once. The command <c>soak --minutes N</c> runs a long one.</summary>
public class SoakTests(ITestOutputHelper output)
{
    /// <summary>The first loss ends the run. The rest of the time is for a machine on which that takes long.</summary>
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Soak_with_all_faults_loses_nothing()
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
    public async Task Soak_without_syncs_detects_a_loss()
    {
        var run = new SoakRun("ext4", CrashSettings.Seed, "ResumableUploads:FileSystem:Durability=ProcessCrash");
        NetworkTestException loss = await Assert.ThrowsAsync<NetworkTestException>(() => run.RunAsync(MaxTime));
        output.WriteLine(loss.Message);
        Assert.Matches("seed [0-9]+: (((file-id|tus|ietf), upload )?(file-id|tus|ietf)-|A record is damaged|A completed upload differs)", loss.Message);
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
    public async Task Invalid_arguments_return_exit_code_2(params string[] arguments) => Assert.Equal(2, await SoakCommand.RunAsync(arguments));

    [Fact]
    public void Parse_returns_the_time_and_the_seed() =>
        Assert.Equal(new SoakCommand(TimeSpan.FromMinutes(20), 7), SoakCommand.Parse(["--minutes", "20", "--seed", "7"]));
}

using System.Diagnostics;
using ResumableUploads.FaultTests.Network.Lines;
using ResumableUploads.Testing;

namespace ResumableUploads.FaultTests.Network.CommandLine;

/// <summary>
/// Whatever the network does, the command completes its uploads, the server receives their bytes, and the handler runs once per file.
/// RESUMABLE_UPLOADS_ROUNDS multiplies the number of runs, RESUMABLE_UPLOADS_SEED sets the first seed.
/// </summary>
public sealed class CliLineTests : IAsyncDisposable
{
    private const int Runs = 500;
    private readonly string _directory = Directory.CreateTempSubdirectory("cli-line-test-").FullName;

    [Theory]
    [InlineData("file-id")]
    [InlineData("tus")]
    [InlineData("ietf")]
    public async Task Command_completes_uploads_over_faulty_connections(string protocol)
    {
        var counts = new FaultCounts();
        long start = Stopwatch.GetTimestamp();
        int runs = Runs * NetworkRuns.Rounds;
        await using NetworkApp app = await NetworkApp.StartAsync(NetworkApp.Memory);
        string? found = await new CliRuns(app, protocol, _directory, counts).RunAsync(runs, NetworkRuns.Seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"{protocol}: {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s; {counts}");
        if (found is not null)
        {
            Assert.Fail(found);
        }

        Assert.Equal(runs, counts.Of("runs"));
        Assert.True(counts.Of("completed") > runs);
        Assert.True(counts.Of("exit code 3") > runs * 0.2, "Few runs were paused.");
        Assert.All(Enum.GetValues<Fault>()[1..], fault => Assert.True(counts.Of(fault, isInResponse: false) > 0 && counts.Of(fault, isInResponse: true) > 0, $"{fault} has not happened"));
    }

    public async ValueTask DisposeAsync() => await TemporaryDirectory.DeleteAsync(_directory);
}

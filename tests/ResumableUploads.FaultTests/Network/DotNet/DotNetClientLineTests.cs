using System.Diagnostics;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network.DotNet;

/// <summary>
/// Whatever the network does, the .NET client completes its upload, the server receives its bytes, and the handler runs once.
/// RESUMABLE_UPLOADS_ROUNDS multiplies the number of runs, RESUMABLE_UPLOADS_SEED sets the first seed.
/// </summary>
public class DotNetClientLineTests
{
    private const int Runs = 500;

    [Theory]
    [InlineData(Client.UploadProtocol.FileId)]
    [InlineData(Client.UploadProtocol.Tus)]
    [InlineData(Client.UploadProtocol.Ietf)]
    public async Task Client_completes_uploads_over_faulty_connections(Client.UploadProtocol protocol)
    {
        var counts = new FaultCounts();
        long start = Stopwatch.GetTimestamp();
        int runs = Runs * NetworkRuns.Rounds;
        await using NetworkApp app = await NetworkApp.StartAsync(NetworkApp.Memory);
        string? found = await new ClientRuns(app, protocol, counts).RunAsync(runs, NetworkRuns.Seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"{protocol}: {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s; {counts}");
        if (found is not null)
        {
            Assert.Fail(found);
        }

        Assert.Equal(runs, counts.Of("runs"));
        Assert.True(counts.Of("completed") > runs * 0.9);
        Assert.All(Enum.GetValues<Fault>()[1..], fault => Assert.True(counts.Of(fault, isInResponse: false) > 0 && counts.Of(fault, isInResponse: true) > 0, $"{fault} has not happened"));
    }
}

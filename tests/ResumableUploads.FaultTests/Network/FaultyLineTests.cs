using System.Diagnostics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network;

/// <summary>
/// Whatever the network does, a client that resumes completes its upload with the bytes that it has sent, and the handler runs once.
/// RESUMABLE_UPLOADS_ROUNDS multiplies the length of a run, RESUMABLE_UPLOADS_SEED sets the first seed.
/// </summary>
public class FaultyLineTests
{
    private const int Runs = 60;

    /// <summary>The number of runs after which a new server is started, because a server keeps completed and abandoned uploads.</summary>
    private const int MaxRunsPerApp = 1000;
    private static readonly string[] Stores = [NetworkApp.Memory, NetworkApp.Files, NetworkApp.SyncedFiles];

    public static TheoryData<string, string> Everywhere
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (string protocol in new[] { "file-id", "tus", "ietf" })
            {
                foreach (string store in Stores)
                {
                    all.Add(protocol, store);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public Task Uploads_over_faulty_connections_complete(string protocol, string store) =>
        RunAsync(protocol, store, HttpProtocols.Http1);

    [Theory]
    [InlineData("file-id")]
    [InlineData("tus")]
    [InlineData("ietf")]
    public Task Uploads_over_faulty_HTTP_2_connections_complete(string protocol) =>
        RunAsync(protocol, NetworkApp.Memory, HttpProtocols.Http2);

    [Theory]
    [InlineData("file-id")]
    [InlineData("tus")]
    [InlineData("ietf")]
    public Task Uploads_to_an_endpoint_over_faulty_connections_complete(string protocol) =>
        RunAsync(protocol, NetworkApp.Files, HttpProtocols.Http1, onEndpoint: true);

    private static async Task RunAsync(string protocol, string store, HttpProtocols http, bool onEndpoint = false)
    {
        var counts = new FaultCounts();
        long start = Stopwatch.GetTimestamp();
        int salt = Array.IndexOf(Stores, store) + (onEndpoint ? Stores.Length : 0);
        int all = Runs * NetworkRuns.Rounds;
        string? found = null;
        (TimeSpan Time, string Name) longest = default;
        for (int done = 0; done < all && found is null; done += MaxRunsPerApp)
        {
            await using NetworkApp app = await NetworkApp.StartAsync(store, http, onEndpoint: onEndpoint);
            var network = new NetworkRuns(app, protocol, http, counts, salt);
            found = await network.RunAsync(Math.Min(all - done, MaxRunsPerApp), NetworkRuns.Seed + done);
            longest = new[] { longest, network.Longest }.Max();
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{protocol}, {store}, {http}{(onEndpoint ? ", endpoint" : "")}: {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s, the longest run {longest.Time.TotalSeconds:F1} s ({longest.Name}); {counts}");
        if (found is not null)
        {
            Assert.Fail(found);
        }

        // The connections broke in every way and in both directions.
        Assert.Equal(all, counts.Of("runs"));
        Assert.All(Enum.GetValues<Fault>()[1..], fault =>
        {
            Assert.True(counts.Of(fault, isInResponse: false) > 0, $"{fault} has not happened in a request");
            Assert.True(counts.Of(fault, isInResponse: true) > 0, $"{fault} has not happened in a response");
        });
    }
}

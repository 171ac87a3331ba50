using System.Diagnostics;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResumableUploads.Tests.Network;

/// <summary>
/// Whatever the network does, a client that asks where to go on brings its upload to its end: with the bytes that it has sent, and the handler run once.
/// For longer runs: RESUMABLE_UPLOADS_ROUNDS is by how much.
/// </summary>
public class FaultyLineTests
{
    private const int Runs = 60;

    public static TheoryData<string, string> Everywhere
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (string protocol in new[] { "file-id", "tus", "ietf" })
            {
                foreach (string store in new[] { NetworkApp.Memory, NetworkApp.Files, NetworkApp.SyncedFiles })
                {
                    all.Add(protocol, store);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public Task Every_upload_comes_to_its_end_over_a_line_that_breaks(string protocol, string store) =>
        RunAsync(protocol, store, HttpProtocols.Http1, Runs);

    [Theory]
    [InlineData("file-id")]
    [InlineData("tus")]
    [InlineData("ietf")]
    public Task Every_upload_comes_to_its_end_on_HTTP_2_as_well(string protocol) =>
        RunAsync(protocol, NetworkApp.Memory, HttpProtocols.Http2, Runs / 2);

    private static async Task RunAsync(string protocol, string store, HttpProtocols http, int runs)
    {
        var counts = new FaultCounts();
        long start = Stopwatch.GetTimestamp();
        await using NetworkApp app = await NetworkApp.StartAsync(store, http);
        string? found = await new NetworkRuns(app, protocol, http, counts).RunAsync(runs * NetworkRuns.Rounds, firstSeed: 1);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{protocol}, {store}, {http}: {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s, handler run {app.HandlerRuns} times; {counts}");
        if (found is not null)
        {
            Assert.Fail(found);
        }

        // The line did break, in every way and on both sides.
        Assert.Equal(runs * NetworkRuns.Rounds, counts.Of("runs"));
        Assert.All(Enum.GetValues<Fault>()[1..], fault =>
        {
            Assert.True(counts.Of(fault, isOnAnswer: false) > 0, $"{fault} has not happened in a request");
            Assert.True(counts.Of(fault, isOnAnswer: true) > 0, $"{fault} has not happened in an answer");
        });
    }
}

using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network;

/// <summary>Proves that the network tests detect a broken server with any seed.</summary>
public class BrokenServerTests
{
    private const int MaxRuns = 100;

    public static TheoryData<string, string> All
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (string protocol in new[] { "file-id", "tus", "ietf" })
            {
                foreach (Broken broken in Enum.GetValues<Broken>()[1..])
                {
                    all.Add(protocol, broken.ToString());
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Server_broken_on_purpose_is_always_detected(string protocol, string how)
    {
        foreach (int seed in new[] { 1, 10_001, 20_001 })
        {
            var counts = new FaultCounts();
            await using NetworkApp app = await NetworkApp.StartAsync(NetworkApp.Memory, HttpProtocols.Http1, Enum.Parse<Broken>(how));
            string? found = await new NetworkRuns(app, protocol, HttpProtocols.Http1, counts).RunAsync(MaxRuns, seed);
            TestContext.Current.TestOutputHelper?.WriteLine($"After {counts.Of("runs")} runs: {found}");
            Assert.NotNull(found);
            Assert.StartsWith("seed-", found, StringComparison.Ordinal);
        }
    }
}

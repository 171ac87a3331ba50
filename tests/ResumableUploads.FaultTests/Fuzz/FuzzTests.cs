using System.Globalization;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>
/// Random requests: none returns a 5xx that the test has not caused itself, and none leaves an upload in the store that differs from what was sent.
/// FUZZ_REQUESTS sets the number of requests of a test, FUZZ_SEED the first seed.
/// </summary>
public class FuzzTests
{
    private static readonly int Seed =
        int.TryParse(Environment.GetEnvironmentVariable("FUZZ_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out int seed) ? seed : 1;

    [Theory]
    [InlineData("tus", false)]
    [InlineData("tus", true)]
    [InlineData("file-id", false)]
    [InlineData("file-id", true)]
    [InlineData("ietf", false)]
    [InlineData("ietf", true)]
    public async Task Random_requests_break_neither_the_server_nor_its_store(string protocol, bool onEndpoint)
    {
        var fuzzer = new Fuzzer(FuzzProtocol.Of(protocol), onEndpoint);
        if (await fuzzer.RunAsync(Fuzzer.Requests, Seed) is { } found)
        {
            Assert.Fail(found);
        }

        // Not all requests were rejected early.
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", fuzzer.StatusCounts.OrderBy(static count => count.Key)));
        Assert.All(FuzzProtocol.Of(protocol).Reached, status => Assert.True(fuzzer.StatusCounts.GetValueOrDefault(status) > Fuzzer.Requests / 2000, $"{status} was hardly ever the response"));
    }

    [Theory]
    [InlineData("tus", false)]
    [InlineData("file-id", true)]
    [InlineData("ietf", true)]
    public async Task Fault_is_reported_with_its_seed_and_few_requests(string protocol, bool onEndpoint)
    {
        var broken = new Fuzzer(FuzzProtocol.Of(protocol), onEndpoint, static () => throw new InvalidOperationException("A handler that never works."));
        string? found = await broken.RunAsync(1000, firstSeed: 1);
        Assert.NotNull(found);
        Assert.StartsWith("Seed ", found, StringComparison.Ordinal);
        Assert.Contains("(503)", found, StringComparison.Ordinal);
        Assert.InRange(found.Split('\n').Length, 2, 4);
    }
}

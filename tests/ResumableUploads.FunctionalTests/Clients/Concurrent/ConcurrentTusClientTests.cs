using ResumableUploads.FunctionalTests.Clients.Tus;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.Concurrent;

/// <summary>Two processes with tus-js-client that send the same upload over one line.</summary>
[Collection<Alone>]
public class ConcurrentTusClientTests(ITestOutputHelper output)
{
    private const int FileSize = 64 << 20;
    private const int Rate = 16 << 20;
    private const int AllowedRequests = 12;

    [Theory]
    [InlineData("tus-js-client", "continued", 0)]
    [InlineData("tus-js-client", "continued", FileSize / 4)]
    [InlineData("tus-js-client", "continuedInChunks", 0)]
    [InlineData("tus-js-client", "continuedInChunks", FileSize / 4)]
    [InlineData("tus-js-client-next", "continued", 0)]
    [InlineData("tus-js-client-next", "continuedInChunks", FileSize / 4)]
    public async Task Two_clients_need_few_more_requests_than_one(string client, string scenario, int secondStartsAt)
    {
        using var file = new SourceFile("shared.bin", FileSize);
        await using SharedUploadApp app = await SharedUploadApp.StartAsync(Rate);

        Uri url = await app.CreateAsync(file);
        _ = app.TakeRequests();
        await using (NodeClient single = await NodeClient.StartAtAsync(client, scenario, url, seed: 0, file))
        {
            await single.EndAsync();
            Assert.Equal("completed", single.Outcome);
        }

        UploadRun alone = await app.TakeRunAsync(file);
        output.WriteLine($"Alone: {alone}");

        url = await app.CreateAsync(file);
        _ = app.TakeRequests();
        long startBytes = app.Line.ForwardedBytes;
        await using NodeClient first = await NodeClient.StartAtAsync(client, scenario, url, seed: 0, file);
        await Eventually.TrueAsync(() => app.Line.ForwardedBytes - startBytes >= secondStartsAt, "the first client has sent enough");
        await using NodeClient second = await NodeClient.StartAtAsync(client, scenario, url, seed: 0, file);
        await Task.WhenAll(first.EndAsync(), second.EndAsync());

        UploadRun both = await app.TakeRunAsync(file);
        output.WriteLine($"Both: {both}");
        output.WriteLine($"First: {first.Outcome}. Second: {second.Outcome}. Duration: {both.Duration / alone.Duration:0.00} times that of one client.");
        string[] outcomes = [first.Outcome, second.Outcome];
        Assert.Contains("completed", outcomes);
        Assert.All(outcomes, static outcome => Assert.Contains(outcome, new[] { "completed", "failed with 400" }));
        Assert.InRange(both.Requests.Count, 1, alone.Requests.Count + AllowedRequests);
    }
}

using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>Large numbers of tus concatenations.</summary>
[Collection<Alone>]
public class ConcatenationFloodTests(ITestOutputHelper output)
{
    private const int KiB = 1024;
    private const int Parts = 200;
    private static readonly (string, string) Partial = ("Upload-Concat", "partial");

    [Fact]
    public async Task Concatenations_created_and_deleted_keep_no_memory()
    {
        const int Count = 200;
        const long MaxGrowth = 1024 * KiB;
        await using AbusedServer server = await AbusedServer.StartAsync("ResumableUploads:FileSystem:Durability=ProcessCrash");
        string part = await server.Client.CreateAsync("/upload", 10, Partial);
        (_, string growths) = await server.AssertKeepsNoMemoryAsync(_ => MakeAndRemoveAsync(server.Client, part, Count), MaxGrowth);
        output.WriteLine($"{Count} concatenations of {Parts} parts in each round: {growths}");
    }

    [Fact]
    public async Task Evicted_concatenation_keeps_its_parts_and_completes_on_request()
    {
        const int MoreThanIsRemembered = 10_000;
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, static options => options.Limits.MaxUploadsPerOwner = int.MaxValue);
        string whole = await app.Client.CreateAsync(TusApp.Url, 3, Partial);
        Assert.Equal(204, await app.Client.AppendChunkAsync(whole, 0, [1, 2, 3]).StatusOfAsync());
        string late = await app.Client.CreateAsync(TusApp.Url, 2, Partial);
        string forgotten = await JoinAsync(app.Client, TusApp.Url, $"{whole} {late}");
        string never = await app.Client.CreateAsync(TusApp.Url, 1, Partial);
        for (int i = 0; i < MoreThanIsRemembered; i++)
        {
            await JoinAsync(app.Client, TusApp.Url, never);
        }

        // This concatenation completes at once and must not delete the parts that the other one needs.
        await JoinAsync(app.Client, TusApp.Url, whole);
        Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
        Assert.Equal(204, await app.Client.AppendChunkAsync(late, 0, [4, 5]).StatusOfAsync());
        Assert.Equal(5, await app.Client.OffsetAsync(forgotten));
        Assert.Equal([1, 2, 3, 4, 5], app.Seen.Last().Content);
    }

    [Fact]
    public async Task Concatenation_whose_total_length_overflows_returns_413()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, static options => options.MaxUploadSize = options.Limits.MaxBytesPerOwner = long.MaxValue);
        string part = await app.Client.CreateAsync(TusApp.Url, 1L << 62, Partial);
        foreach (int times in new[] { 2, 3, 4, 5 })
        {
            string parts = string.Join(' ', Enumerable.Repeat(part, times));
            Assert.Equal((times, 413), (times, await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{parts}")).StatusOfAsync()));
        }
    }

    private static async Task MakeAndRemoveAsync(HttpClient client, string part, int count)
    {
        string parts = string.Join(' ', Enumerable.Repeat(part, Parts));
        for (int i = 0; i < count; i++)
        {
            string joined = await JoinAsync(client, "/upload", parts);
            Assert.Equal(204, await client.TusAsync("DELETE", joined).StatusOfAsync());
        }
    }

    private static async Task<string> JoinAsync(HttpClient client, string url, string parts)
    {
        using HttpResponseMessage created = await client.TusAsync("POST", url, null, ("Upload-Concat", "final;" + parts));
        Assert.Equal(201, (int)created.StatusCode);
        return created.Header("Location")!;
    }
}

using System.Globalization;
using System.Text.Json;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>Thousands of connections that send almost nothing.</summary>
[Collection<Alone>]
public class SlowLorisTests(ITestOutputHelper output)
{
    private const int KiB = 1024;

    /// <summary>About twice the measured value, including what the web server and the system hold for a connection.</summary>
    private const long MaxMemoryPerConnection = 96 * KiB;

    private const int MaxRestPerConnection = KiB;
    private const int FewHandles = 50;
    private const int MaxThreads = 100;
    private const int Rounds = 2;

    /// <summary>The data file, the mark and the lock.</summary>
    private const int FilesPerAppend = 3;

    /// <summary>Includes the other uploads meanwhile. About thirty times the measured value.</summary>
    private static readonly TimeSpan MaxProcessorPerByte = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Slow_connections_use_few_resources_and_block_no_other_owner()
    {
        // No timeout ends the connections, because this test measures their cost.
        await using AbusedServer server = await AbusedServer.StartAsync("ResumableUploads:Limits:MinDataRate=0", "ResumableUploads:Timeouts:IdleTimeout=01:00:00");
        await server.AssertServesOtherOwnerAsync();
        ServerUsage before = server.Usage();
        int count = AbuseSettings.Connections;
        var alive = new List<long>();
        for (int crowds = 0; crowds < 2; crowds++)
        {
            using (SlowCrowd crowd = await SlowCrowd.OpenAsync(server.Address, count, SlownessOf, i => (crowds * 10_000) + (i / 50)))
            {
                await HoldConnectionsAsync(server, before, crowd);
            }

            await AbusedServer.WaitUntilAsync(() => server.Usage().Handles < before.Handles + FewHandles, "the handles of the connections that left are closed");
            alive.Add(await server.GetLiveMemoryAsync());
        }

        // The second crowd reuses what the web server pooled for the first.
        output.WriteLine($"alive when a crowd has left: {alive[0] / KiB} KiB, and {alive[1] / KiB} KiB after another");
        Assert.True(alive[1] - alive[0] < count * MaxRestPerConnection, $"{(alive[1] - alive[0]) / count} bytes are left of each connection.");
    }

    [Fact]
    public async Task Slow_connections_beyond_the_owner_limit_are_rejected_before_creation()
    {
        const int Max = 40;
        const int Count = 1000;
        await using AbusedServer server = await AbusedServer.StartAsync(
            $"ResumableUploads:Limits:MaxAppendsPerOwner={Max}", "ResumableUploads:Limits:MinDataRate=0", "ResumableUploads:Timeouts:IdleTimeout=01:00:00");
        await server.AssertServesOtherOwnerAsync();
        int already = server.CountUploads();
        using SlowCrowd crowd = await SlowCrowd.OpenAsync(server.Address, Count, static _ => Slowness.Silent, static _ => 1);
        Task<RawResponse>[] responses = [.. crowd.Connections.Select(static one => one.ReadResponseAsync(ChildHost.Timeout))];
        await AbusedServer.WaitUntilAsync(() => responses.Count(static response => response.IsCompleted) >= Count - Max, "all requests beyond the limit are rejected");

        Assert.Equal(Max, responses.Count(static response => !response.IsCompleted));
        Assert.All(responses.Where(static response => response.IsCompleted), static response => AssertProblem(response.Result, 429, "too-many-requests"));

        // The server waits a moment for a short body before it creates the upload.
        await AbusedServer.WaitUntilAsync(() => server.CountUploads() >= already + Max, "the uploads of the other requests are created");
        Assert.Equal(already + Max, server.CountUploads());
        await server.AssertServesOtherOwnerAsync();
    }

    [Fact]
    public async Task Min_data_rate_ends_slow_requests_and_keeps_acknowledged_bytes()
    {
        const int Count = 600;
        await using AbusedServer server = await AbusedServer.StartAsync(
            "ResumableUploads:Limits:MinDataRate=100", "ResumableUploads:Limits:MinDataRatePeriod=00:00:01", "ResumableUploads:Timeouts:IdleTimeout=01:00:00");
        ServerUsage before = server.Usage();
        using (SlowCrowd crowd = await SlowCrowd.OpenAsync(server.Address, Count, static i => i % 4 == 0 ? Slowness.Silent : Slowness.Body, static i => i / 50))
        {
            Task<RawResponse[]> pendingResponses = Task.WhenAll(crowd.Connections.Select(static one => one.ReadResponseAsync(ChildHost.Timeout)));
            while (!pendingResponses.IsCompleted)
            {
                await crowd.TrickleAsync(TimeSpan.FromMilliseconds(200));
            }

            RawResponse[] responses = await pendingResponses;
            foreach ((SlowConnection connection, RawResponse response) in crowd.Connections.Zip(responses))
            {
                AssertProblem(response, 408, "too-slow");
                int reported = int.Parse(response.Header("X-Start-Byte")!, CultureInfo.InvariantCulture);
                Assert.InRange(reported, 1, connection.Sent);
                await AssertKeptAsync(server, connection, reported);
            }
        }

        await AbusedServer.WaitUntilAsync(() => server.Usage().Handles < before.Handles + 50, "ended requests hold no handles");
    }

    [Fact]
    public async Task Connection_limit_preserves_handles_and_server_recovers_from_slow_requests()
    {
        const int Count = 1000;
        const int MaxHandles = 2 * Count;
        const int MaxConnections = 50;
        await using AbusedServer server = await AbusedServer.StartUnderAsync(
            ["sh", "-c", $"ulimit -n {MaxHandles}; exec \"$@\"", "sh"],
            $"MaxConnections={MaxConnections}", "ResumableUploads:Limits:MinDataRate=100", "ResumableUploads:Limits:MinDataRatePeriod=00:00:01");
        ServerUsage before = server.Usage();
        List<SlowConnection> responded = [];
        using (SlowCrowd crowd = await SlowCrowd.OpenAsync(server.Address, Count, static _ => Slowness.Silent, static i => i / 50))
        {
            RawResponse?[] responses = await Task.WhenAll(crowd.Connections.Select(static one => one.ReadResponseOrEndAsync(ChildHost.Timeout)));
            Assert.InRange(responses.Count(static response => response is not null), 1, Count - 1);
            foreach ((SlowConnection connection, RawResponse? response) in crowd.Connections.Zip(responses).Where(static pair => pair.Second is not null))
            {
                AssertProblem(response!, 408, "too-slow");
                responded.Add(connection);
            }
        }

        // Until then, the closed connections may still count against the limit.
        await AbusedServer.WaitUntilAsync(() => server.Usage().Handles < before.Handles + FewHandles / 2, "the handles of the connections that left are closed");
        foreach (SlowConnection connection in responded)
        {
            await AssertKeptAsync(server, connection, reported: 1);
        }

        await server.AssertServesOtherOwnerAsync();
    }

    /// <summary>Holds all connections open while each sends one byte per second, and asserts that other uploads are not affected.</summary>
    private async Task HoldConnectionsAsync(AbusedServer server, ServerUsage before, SlowCrowd crowd)
    {
        int count = crowd.Connections.Count;
        int uploads = crowd.Uploads.Count();
        await AbusedServer.WaitUntilAsync(() => server.Usage().Handles - before.Handles >= count + (FilesPerAppend * uploads), "each connection has its upload");
        ServerUsage during = server.Usage();
        Assert.InRange(during.Handles - before.Handles, count, count + (FilesPerAppend * uploads) + FewHandles);
        for (int round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(crowd.TrickleAsync(Pause), server.AssertServesOtherOwnerAsync());
        }

        ServerUsage after = server.Usage();
        TimeSpan spent = after.Processor - during.Processor;
        int bytes = Rounds * crowd.Connections.Count(static one => one.Slowness != Slowness.Silent);
        long memory = (after.Memory - before.Memory) / count;
        output.WriteLine(
            $"{count} connections: {memory / KiB} KiB and {(during.Handles - before.Handles) / (double)count:f2} handles for each, "
            + $"{spent.TotalMicroseconds / bytes:f0} us of processor for a byte, {after.Threads} threads");
        Assert.True(memory < MaxMemoryPerConnection, $"{memory} bytes for each connection.");
        Assert.True(after.Threads < MaxThreads, $"{after.Threads} threads.");
        Assert.True(spent < bytes * MaxProcessorPerByte, $"{spent} for {bytes} bytes.");
    }

    private static Slowness SlownessOf(int number) => (number % 10) switch { 0 => Slowness.Head, 1 => Slowness.Silent, _ => Slowness.Body };

    private static void AssertProblem(RawResponse response, int status, string type)
    {
        Assert.Equal((status, "application/problem+json"), (response.Status, response.Header("Content-Type")));
        using JsonDocument problem = JsonDocument.Parse(response.Body);
        Assert.Equal(ProblemExpectations.Own + type, problem.RootElement.GetProperty("type").GetString());
    }

    /// <summary>Asserts that the reported offset matches the stored bytes and that the rest completes the upload.</summary>
    private static async Task AssertKeptAsync(AbusedServer server, SlowConnection connection, int reported)
    {
        Assert.Equal(reported, await server.StatusAsync(connection.FileId, connection.Cookie));
        int status = await server.Client.AppendAsync(
            connection.FileId, reported, connection.Content[reported..], connection.Content.Length, ("Cookie", connection.Cookie))
            .StatusOfAsync();
        Assert.Equal(200, status);
        server.Uploads.AssertFinished(connection.FileId, connection.Content);
    }
}

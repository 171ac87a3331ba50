using System.Globalization;
using System.Text.Json;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>Tests that many slow connections (slow-read) use bounded resources and do not affect other owners.</summary>
[Collection<Alone>]
public class SlowLorisTests(ITestOutputHelper output)
{
    private const int KiB = 1024;

    /// <summary>
    /// The memory limit per connection, in bytes: about twice the measured value, which includes memory of the web server and the operating system.
    /// </summary>
    private const long MaxMemoryPerConnection = 96 * KiB;

    private const int MaxRetainedBytesPerConnection = KiB;
    private const int HandleTolerance = 50;
    private const int MaxThreads = 100;
    private const int MinConnectionsPerThread = 10;
    private const int Rounds = 2;
    private const int ConnectionsPerOwner = 50;

    /// <summary>The distance between the owner numbers of two crowds, so that each crowd has its own owners.</summary>
    private const int OwnersPerCrowd = 10_000;

    /// <summary>The number of open files per append: data file, mark file and lock file.</summary>
    private const int FilesPerAppend = 3;

    /// <summary>
    /// The limit of CPU time per byte sent, in status requests of the same server, so that it does not depend on the machine. The measured value includes the
    /// uploads of another owner that run at the same time.
    /// </summary>
    private const int MaxRequestsPerByte = 3;
    private static readonly TimeSpan TrickleInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Slow_connections_use_few_resources_and_do_not_block_other_owners()
    {
        // Disable the minimum data rate and raise the timeouts, so that the connections stay open while their cost is measured.
        await using AbusedServer server = await AbusedServer.StartAsync(
            "ResumableUploads:Limits:MinDataRate=0", "ResumableUploads:Timeouts:IdleTimeout=01:00:00", "ConnectionTimeout=01:00:00");
        await server.AssertServesOtherOwnerAsync();
        ServerUsage before = server.Usage();
        int count = AbuseSettings.Connections;
        TimeSpan requestTime = await server.MeasureRequestAsync();
        (_, string growths) = await server.AssertKeepsNoMemoryAsync(
            async crowdIndex =>
            {
                using (SlowCrowd crowd = await SlowCrowd.OpenAsync(server.Address, count, GetSlowness, i => (crowdIndex * OwnersPerCrowd) + (i / ConnectionsPerOwner)))
                {
                    await HoldConnectionsAsync(server, before, requestTime, crowd);
                }

                await AbusedServer.WaitUntilAsync(() => server.Usage().Handles < before.Handles + HandleTolerance, "the handles of the closed connections are released");
            },
            count * MaxRetainedBytesPerConnection);
        output.WriteLine($"{count} connections in each round: {growths}");
    }

    [Fact]
    public async Task Slow_connections_beyond_the_owner_limit_are_rejected_before_creation()
    {
        const int Max = 40;
        const int Count = 1000;
        await using AbusedServer server = await AbusedServer.StartAsync(
            $"ResumableUploads:Limits:MaxAppendsPerOwner={Max}", "ResumableUploads:Limits:MinDataRate=0", "ResumableUploads:Timeouts:IdleTimeout=01:00:00");
        await server.AssertServesOtherOwnerAsync();
        int initialUploadCount = server.CountUploads();
        using SlowCrowd crowd = await SlowCrowd.OpenAsync(server.Address, Count, static _ => Slowness.Silent, static _ => 1);
        Task<RawResponse>[] responses = [.. crowd.Connections.Select(static connection => connection.ReadResponseAsync(ResponseTimeout))];
        await AbusedServer.WaitUntilAsync(() => responses.Count(static response => response.IsCompleted) >= Count - Max, "all requests beyond the limit are rejected");

        Assert.Equal(Max, responses.Count(static response => !response.IsCompleted));
        Assert.All(responses.Where(static response => response.IsCompleted), static response => AssertProblem(response.Result, 429, "too-many-requests"));

        // Poll: the server delays the creation briefly in case the body is short.
        await AbusedServer.WaitUntilAsync(() => server.CountUploads() >= initialUploadCount + Max, "the uploads of the requests within the limit are created");
        Assert.Equal(initialUploadCount + Max, server.CountUploads());
        await server.AssertServesOtherOwnerAsync();
    }

    [Fact]
    public async Task Min_data_rate_returns_408_and_keeps_reported_bytes()
    {
        const int Count = 600;
        await using AbusedServer server = await AbusedServer.StartAsync(
            "ResumableUploads:Limits:MinDataRate=100", "ResumableUploads:Limits:MinDataRatePeriod=00:00:05", "ResumableUploads:Timeouts:IdleTimeout=01:00:00");
        await server.AssertServesOtherOwnerAsync();
        ServerUsage before = server.Usage();
        using (SlowCrowd crowd = await SlowCrowd.OpenAsync(server.Address, Count, static i => i % 4 == 0 ? Slowness.Silent : Slowness.Body, static i => i / ConnectionsPerOwner))
        {
            Task<RawResponse[]> pendingResponses = Task.WhenAll(crowd.Connections.Select(static connection => connection.ReadResponseAsync(ResponseTimeout)));
            while (!pendingResponses.IsCompleted)
            {
                await crowd.TrickleAsync(TimeSpan.FromMilliseconds(200));
            }

            RawResponse[] responses = await pendingResponses;
            int kept = 0;
            foreach ((SlowConnection connection, RawResponse response) in crowd.Connections.Zip(responses))
            {
                AssertProblem(response, 408, "too-slow");
                int reported = GetOffset(response);
                Assert.InRange(reported, 0, connection.Sent);
                kept += reported > 0 ? 1 : 0;
                await AssertCanResumeAsync(server, connection, reported);
            }

            // A server that stalls may end a request before it has read a byte.
            Assert.InRange(kept, 1, Count);
        }

        await AbusedServer.WaitUntilAsync(() => server.Usage().Handles < before.Handles + HandleTolerance, "the handles of the aborted requests are released");
    }

    [Fact]
    public async Task Connection_limit_prevents_handle_exhaustion_by_slow_requests()
    {
        const int Count = 1000;
        const int MaxConnections = 50;

        // Too few handles for all connections with their open files, so that the connection limit is necessary.
        const int MaxHandles = 2 * Count;
        await using AbusedServer server = await AbusedServer.StartUnderAsync(
            ["sh", "-c", $"ulimit -n {MaxHandles}; exec \"$@\"", "sh"],
            $"MaxConnections={MaxConnections}", "ResumableUploads:Limits:MinDataRate=100", "ResumableUploads:Limits:MinDataRatePeriod=00:00:10");
        await server.AssertServesOtherOwnerAsync();
        ServerUsage before = server.Usage();
        List<(SlowConnection Connection, int Reported)> responded = [];
        using (SlowCrowd crowd = await SlowCrowd.OpenAsync(server.Address, Count, static _ => Slowness.Silent, static i => i / ConnectionsPerOwner))
        {
            RawResponse?[] responses = await Task.WhenAll(crowd.Connections.Select(static connection => connection.ReadResponseOrEndAsync(ResponseTimeout)));
            Assert.InRange(responses.Count(static response => response is not null), 1, Count - 1);
            foreach ((SlowConnection connection, RawResponse? response) in crowd.Connections.Zip(responses).Where(static pair => pair.Second is not null))
            {
                AssertProblem(response!, 408, "too-slow");
                responded.Add((connection, GetOffset(response!)));
            }
        }

        // Closed connections may count against the connection limit until their handles are released. The bound is less than MaxConnections, so that the
        // requests below can connect.
        await AbusedServer.WaitUntilAsync(() => server.Usage().Handles < before.Handles + HandleTolerance / 2, "the handles of the closed connections are released");
        foreach ((SlowConnection connection, int reported) in responded)
        {
            await AssertCanResumeAsync(server, connection, reported);
        }

        await server.AssertServesOtherOwnerAsync();
    }

    /// <summary>
    /// Holds all connections open while those that are not silent send one byte per round, and asserts that resource use stays within the limits and that
    /// other uploads are not affected.
    /// </summary>
    private async Task HoldConnectionsAsync(AbusedServer server, ServerUsage before, TimeSpan requestTime, SlowCrowd crowd)
    {
        int count = crowd.Connections.Count;
        int uploads = crowd.Uploads.Count();
        await AbusedServer.WaitUntilAsync(() => server.Usage().Handles - before.Handles >= count + (FilesPerAppend * uploads), "all connections are open and all uploads are created");
        ServerUsage during = server.Usage();
        Assert.InRange(during.Handles - before.Handles, count, count + (FilesPerAppend * uploads) + HandleTolerance);
        ServerUsage after = during;
        TimeSpan cpuTime = TimeSpan.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            TimeSpan previous = after.Processor;
            await Task.WhenAll(crowd.TrickleAsync(TrickleInterval), server.AssertServesOtherOwnerAsync());
            after = server.Usage();
            cpuTime = after.Processor - previous < cpuTime ? after.Processor - previous : cpuTime;
        }

        int bytes = crowd.Connections.Count(static connection => connection.Slowness != Slowness.Silent);
        TimeSpan maxCpuTime = bytes * MaxRequestsPerByte * requestTime;
        int maxThreads = MaxThreads + (count / MinConnectionsPerThread);
        long memory = (after.Memory - before.Memory) / count;
        output.WriteLine(
            $"{count} connections: {memory / KiB} KiB and {(during.Handles - before.Handles) / (double)count:f2} handles per connection, "
            + $"{cpuTime.TotalMicroseconds / bytes:f0} us CPU time per byte in the best round, "
            + $"{requestTime.TotalMicroseconds:f0} us per status request, {after.Threads} threads");
        Assert.True(memory < MaxMemoryPerConnection, $"Used {memory} bytes per connection; the limit is {MaxMemoryPerConnection}.");
        Assert.True(after.Threads < maxThreads, $"Used {after.Threads} threads; the limit is {maxThreads}.");
        Assert.True(cpuTime < maxCpuTime, $"Used {cpuTime} of CPU time for {bytes} bytes; the limit is {maxCpuTime}.");
    }

    private static int GetOffset(RawResponse response) => int.Parse(response.Header("X-Start-Byte")!, CultureInfo.InvariantCulture);

    private static Slowness GetSlowness(int number) => (number % 10) switch { 0 => Slowness.Head, 1 => Slowness.Silent, _ => Slowness.Body };

    private static void AssertProblem(RawResponse response, int status, string type)
    {
        Assert.Equal((status, "application/problem+json"), (response.Status, response.Header("Content-Type")));
        using JsonDocument problem = JsonDocument.Parse(response.Body);
        Assert.Equal(ProblemExpectations.Own + type, problem.RootElement.GetProperty("type").GetString());
    }

    /// <summary>Asserts that the stored offset equals the reported offset, and that appending the remaining bytes completes the upload.</summary>
    private static async Task AssertCanResumeAsync(AbusedServer server, SlowConnection connection, int reported)
    {
        Assert.Equal(reported, await server.StatusAsync(connection.FileId, connection.Cookie));
        int status = await server.Client.AppendAsync(
            connection.FileId, reported, connection.Content[reported..], connection.Content.Length, ("Cookie", connection.Cookie))
            .StatusOfAsync();
        Assert.Equal(200, status);
        server.Uploads.AssertFinished(connection.FileId, connection.Content);
    }
}

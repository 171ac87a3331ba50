using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>Cancellation and expiration with two apps, A and B, that share nothing but the directory. Each app has its own clock.</summary>
public sealed class TwoProcessRemovalTests : IDisposable
{
    private static readonly TimeSpan Expiration = TimeSpan.FromHours(1);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);
    private readonly UploadDirectory _directory = new();
    private readonly ConcurrentQueue<string> _expired = new();
    private readonly FakeTimeProvider _timeA = new(TimeProvider.System.GetUtcNow());
    private readonly FakeTimeProvider _timeB = new(TimeProvider.System.GetUtcNow());

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Expired_upload_is_removed_only_by_the_sweep_of_its_endpoint()
    {
        await using TestApp a = await StartAsync("A", _timeA, path: "/a");
        await using TestApp b = await StartAsync("B", _timeB, path: "/b");
        (await a.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[10]), 30, "/a")).Dispose();

        await SweepAsync(b, _timeB, Expiration * 2);
        Assert.Single(await ListAsync());
        Assert.Empty(_expired);

        await SweepAsync(a, _timeA, Expiration * 2);
        Assert.Empty(await ListAsync());
        Assert.Equal(["A"], _expired);
    }

    [Fact]
    public async Task Orphaned_upload_is_removed_by_the_sweep_of_another_endpoint()
    {
        await using TestApp b = await StartAsync("B", _timeB, path: "/b");
        await using (TestApp a = await StartAsync("A", _timeA, path: "/a"))
        {
            (await a.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[10]), 30, "/a")).Dispose();
        }

        await SweepAsync(b, _timeB, Expiration + TimeSpan.FromHours(12));
        Assert.Single(await ListAsync());

        await SweepAsync(b, _timeB, TimeSpan.FromHours(13));
        Assert.Empty(await ListAsync());
        Assert.Empty(_expired);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Upload_that_two_processes_find_expired_expires_once(bool isFoundByRequest)
    {
        // Both processes have read the upload before one of them deletes it.
        using var bothDelete = new CountdownEvent(2);
        var deleting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task BeforeDelete(UploadKey key)
        {
            if (!bothDelete.IsSet && bothDelete.Signal())
            {
                deleting.SetResult();
            }

            return Eventually.WithinAsync(deleting.Task);
        }

        await using TestApp a = await StartAsync("A", _timeA, store: new HookedStore(CreateStore(_timeA)) { BeforeDelete = BeforeDelete });
        await using TestApp b = await StartAsync("B", _timeB, store: new HookedStore(CreateStore(_timeB)) { BeforeDelete = BeforeDelete, IsUnswept = isFoundByRequest });
        (await a.Client.AppendAsync("f", 0, new byte[10], 30)).Dispose();
        _timeB.Advance(Expiration * 2);
        Task found = isFoundByRequest ? AppendAsync() : SweepAsync(b, _timeB, TimeSpan.Zero);
        await SweepAsync(a, _timeA, Expiration * 2);
        await found;

        Assert.Single(_expired);
        Assert.Equal(isFoundByRequest ? [20] : [], (await ListAsync()).Select(static info => info.Offset));

        // While the other process holds the lock of the file, the server is busy or still reports the offset of the expired upload. The client retries.
        Task AppendAsync() => Eventually.TrueAsync(
            async () =>
            {
                using HttpResponseMessage response = await b.Client.AppendAsync("f", 0, new byte[20], 30);
                Assert.Contains((int)response.StatusCode, (int[])[200, 409, 503]);
                return (int)response.StatusCode == 200;
            },
            "the client has sent its bytes");
    }

    [Theory]
    [MemberData(nameof(ProtocolClient.Protocols), MemberType = typeof(ProtocolClient))]
    public async Task Upload_whose_handler_runs_in_another_process_is_not_canceled(string protocol)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp a = await StartAsync("A", _timeA, options => options.OnCompleted = async (_, cancellationToken) =>
        {
            started.SetResult();
            await release.Task.WaitAsync(cancellationToken);
        });
        await using TestApp b = await StartAsync("B", _timeB);
        string url = new Uri(a.Address, await a.Client.BeginAsync(protocol, "/upload", new byte[10], 30)).PathAndQuery;
        Task<HttpResponseMessage> finished = a.Client.FinishAsync(protocol, url, 10, new byte[20]);
        await Eventually.WithinAsync(started.Task);

        await CancelAsync(b, protocol, url).AssertProblemAsync(503, "still-completing");
        Assert.Equal(UploadState.Received, Assert.Single(await ListAsync()).State);

        release.SetResult();
        Assert.True((await Eventually.WithinAsync(finished)).IsSuccessStatusCode);
        Assert.Equal(UploadState.Completed, Assert.Single(await ListAsync()).State);
        Assert.Equal(204, await CancelAsync(b, protocol, url).StatusOfAsync());
        Assert.Empty(await ListAsync());
    }

    private static Task<HttpResponseMessage> CancelAsync(TestApp app, string protocol, string url) => protocol switch
    {
        ProtocolClient.FileId => app.Client.SendFileIdAsync("DELETE", url, null),
        ProtocolClient.Tus => app.Client.TusAsync("DELETE", url),
        _ => app.Client.IetfAsync("DELETE", url, IetfClient.Newest, null),
    };

    private async Task<TestApp> StartAsync(
        string name, FakeTimeProvider time, Action<ResumableUploadOptions>? configure = null, string path = "/upload", IUploadStore? store = null) => await TestApp.StartAsync(
        options =>
        {
            options.Store = store ?? CreateStore(time);
            options.UploadPath = path;
            options.StatusPath = path + "-status";
            options.Expiration = Expiration;
            options.Handler.CompletionTimeout = Expiration;
            options.Timeouts.SweepInterval = SweepInterval;
            options.OnExpired = (_, _) =>
            {
                _expired.Enqueue(name);
                return Task.CompletedTask;
            };
            configure?.Invoke(options);
        },
        builder => builder.Services.AddSingleton<TimeProvider>(time));

    private FileSystemUploadStore CreateStore(TimeProvider time)
    {
        var options = new FileSystemUploadStoreOptions { Directory = _directory.Root, Durability = Durability.ProcessCrash };
        return new FileSystemUploadStore(options, time);
    }

    /// <summary>Advances the clock of an app and waits for a sweep that began after that.</summary>
    private static async Task SweepAsync(TestApp app, FakeTimeProvider time, TimeSpan by)
    {
        UploadSweeper sweeper = Assert.Single(UploadDispatcherFactory.FindSharedServices(app.Services)!.RunningSweepers);
        DateTimeOffset begin = time.GetUtcNow() + by;
        time.Advance(by);

        // The first sweep that ends after that may have begun before it. The sweeper may not wait for the timer yet.
        await WaitForSweepAsync(begin);
        await WaitForSweepAsync(sweeper.Status.LastSucceeded!.Value);

        Task WaitForSweepAsync(DateTimeOffset after) =>
            Eventually.TrueAsync(() => sweeper.Status.LastSucceeded > after, "the sweep has ended", () => time.Advance(SweepInterval));
    }

    private async Task<UploadInfo[]> ListAsync() => await CreateStore(TimeProvider.System).ListAsync(new UploadQuery(), default).ToArrayAsync();
}

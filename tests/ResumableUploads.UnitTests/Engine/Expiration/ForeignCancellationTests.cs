using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Reliability;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>An OperationCanceledException that none of the engine's tokens has caused is a failure like any other.</summary>
public sealed class ForeignCancellationTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    [Fact]
    public async Task OnExpired_that_is_canceled_is_logged()
    {
        await using var engine = new TestEngine(new MemoryUploadStore(timeProvider: _time), _time);
        await engine.AppendAsync(0, [1], 10);
        _time.Advance(TimeSpan.FromDays(8));
        engine.Callbacks.OnExpired = static (_, _) => throw new TaskCanceledException("A request timed out.");
        await engine.VisitAsync();
        Assert.True(engine.HasLogged(212));
        Assert.Null(await engine.GetAsync());
    }

    [Theory]
    [InlineData("get")]
    [InlineData("create")]
    [InlineData("append")]
    [InlineData("update")]
    [InlineData("delete")]
    [InlineData("list")]
    [InlineData("complete")]
    [InlineData("get-response")]
    public async Task Store_call_that_times_out_is_a_storage_failure(string call)
    {
        var store = new TimingOutStore();
        await using var engine = new TestEngine(store, _time);
        engine.Callbacks.OnCompleted = (_, _) => Task.FromResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 1 }));
        if (call is "delete" or "get-response")
        {
            await engine.AppendAsync(0, [1, 2], 2);
        }

        store.TimesOut = call;
        UploadResult result = call == "delete" ? await engine.CancelAsync() : await engine.AppendAsync(call == "get-response" ? 2 : 0, call == "get-response" ? [] : [1, 2], 2);
        Assert.Equal(UploadResultKind.StorageFailed, result.Kind);
        Assert.True(engine.HasLogged(208));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Capability_call_that_times_out_is_a_storage_failure(bool isMove)
    {
        IUploadStore store = CancellationGuardStore.Wrap(new TimingOutCapabilitiesStore());
        UploadStoreException failure = await Assert.ThrowsAsync<UploadStoreException>(async () =>
        {
            if (isMove)
            {
                await store.GetCapability<IContentMover>()!.MoveContentAsync(TestEngine.Key, "1", "/target", false, CancellationToken.None);
            }
            else
            {
                await store.GetCapability<IReplacingStore>()!.ReplaceAsync(TestEngine.Key, "1", new UploadKey("owner", "new"), "1", CancellationToken.None);
            }
        });
        Assert.Equal(StoreFailure.Unavailable, failure.Failure);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_whose_store_call_times_out_returns_503(bool isSynchronous)
    {
        var store = new TimingOutStore { IsSynchronous = isSynchronous };
        await using TestApp app = await TestApp.StartAsync(options => options.Store = store, onTestHost: true);
        await app.Client.AppendAsync("f", 0, [1], 10).ShouldHaveOffsetAsync(1);
        store.TimesOut = "get";
        await app.Client.AppendAsync("f", 1, [2], 10).ShouldBeProblemAsync(503, Own + "storage-failed");
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => app.Client.StatusAsync("f"));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, failure.StatusCode);
    }

    private sealed class TimingOutCapabilitiesStore() : DelegatingUploadStore(new MemoryUploadStore()), IReplacingStore, IContentMover
    {
        public ValueTask<UpdateResult> ReplaceAsync(
            UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken) =>
            throw new TaskCanceledException();

        public async ValueTask<MoveResult> MoveContentAsync(UploadKey key, string version, string path, bool overwrite, CancellationToken cancellationToken)
        {
            await Task.Yield();
            throw new TaskCanceledException();
        }
    }

    /// <summary>A store whose client library has a timeout of its own.</summary>
    private sealed class TimingOutStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public string? TimesOut { get; set; }

        public bool IsSynchronous { get; init; }

        public override async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
        {
            await CheckAsync("get");
            return await base.GetAsync(key, cancellationToken);
        }

        public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
        {
            await CheckAsync("create");
            return await base.CreateAsync(key, record, cancellationToken);
        }

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            await CheckAsync("append");
            return await base.AppendAsync(key, offset, content, mode, cancellationToken);
        }

        public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
        {
            await CheckAsync("update");
            return await base.UpdateAsync(key, version, record, cancellationToken);
        }

        public override async ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken)
        {
            await CheckAsync("delete");
            return await base.DeleteAsync(key, version, cancellationToken);
        }

        public override IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) =>
            TimesOut == "list" ? throw new TaskCanceledException() : base.ListAsync(query, cancellationToken);

        public override async ValueTask<UpdateResult> CompleteAsync(
            UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
        {
            await CheckAsync("complete");
            return await base.CompleteAsync(key, version, record, response, cancellationToken);
        }

        public override async ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken)
        {
            await CheckAsync("get-response");
            return await base.GetResponseAsync(key, cancellationToken);
        }

        private async Task CheckAsync(string call)
        {
            if (TimesOut == call)
            {
                if (!IsSynchronous)
                {
                    await Task.Yield();
                }

                throw new TaskCanceledException($"{call} timed out.");
            }
        }
    }
}

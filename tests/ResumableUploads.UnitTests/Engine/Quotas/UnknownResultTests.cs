using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>
/// The quota after a change of the store that has taken effect although it has failed, and after an upload that another process has changed in the meantime.
/// </summary>
public class UnknownResultTests
{
    private const int MaxUploads = 4;
    private const int MaxBytes = 1000;

    private static readonly Dictionary<string, (bool CanReplace, Func<Context, Task> RunAsync)> Cases = new()
    {
        ["upload is removed"] = (false, static async context =>
        {
            await context.Engine.AppendAsync(0, new byte[100], 150);
            context.Store.FailAfter("delete");
            Assert.Equal(UploadResultKind.StorageFailed, (await context.Engine.CancelAsync()).Kind);
            Assert.Null(await context.Engine.GetAsync());
        }),
        ["upload is replaced"] = (true, static async context =>
        {
            await context.Engine.AppendAsync(0, new byte[100], 150);
            context.Store.FailAfter("replace");
            await context.StartOverAsync(UploadResultKind.StorageFailed);
            Assert.Equal(200, (await context.Engine.GetAsync())!.Length);
        }),
        ["upload is replaced by another process"] = (true, static async context =>
        {
            await context.Engine.AppendAsync(0, new byte[100], 150);
            context.Store.Before("replace", static async inner =>
            {
                await inner.DeleteAsync(TestEngine.Key, null, default);
                await inner.CreateAsync(TestEngine.Key, new UploadRecord { Length = 10, Data = new EngineRecord().ToBytes() }, default);
            });
            await context.StartOverAsync(UploadResultKind.Busy);
            Assert.Equal(10, (await context.Engine.GetAsync())!.Length);
        }),
        ["upload is deleted to be replaced"] = (false, static async context =>
        {
            await context.Engine.AppendAsync(0, new byte[100], 150);
            context.Store.FailAfter("delete");
            await context.StartOverAsync(UploadResultKind.StorageFailed);
            Assert.Null(await context.Engine.GetAsync());
        }),
        ["replacement is created"] = (false, static async context =>
        {
            await context.Engine.AppendAsync(0, new byte[100], 150);
            context.Store.FailAfter("create");
            await context.StartOverAsync(UploadResultKind.StorageFailed);
            Assert.Equal(200, (await context.Engine.GetAsync())!.Length);
        }),
        ["another process creates an upload before the replacement"] = (false, static async context =>
        {
            await context.Engine.AppendAsync(0, new byte[100], 150);
            context.Store.Before(
                "create",
                static async inner => await inner.CreateAsync(TestEngine.Key, new UploadRecord { Length = 10, Data = new EngineRecord().ToBytes() }, default));
            await context.StartOverAsync(UploadResultKind.Busy);
            Assert.Equal(10, (await context.Engine.GetAsync())!.Length);
        }),
        ["last bytes are stored with the final record"] = (false, static async context =>
        {
            await context.Engine.AppendAsync(0, new byte[100], 150);
            context.Store.FailAfter("append");
            Assert.Equal(UploadResultKind.StorageFailed, (await context.Engine.AppendAsync(100, new byte[50], 150)).Kind);
            Assert.Equal(UploadState.Completed, (await context.Engine.GetAsync())!.State);
        }),
        ["final record is written"] = (false, static async context =>
        {
            context.Store.StoresFinalRecords = false;
            await context.Engine.AppendAsync(0, new byte[100], 150);
            context.Store.FailAfter("update");
            Assert.Equal(UploadResultKind.StorageFailed, (await context.Engine.AppendAsync(100, new byte[50], 150)).Kind);
            Assert.Equal(UploadState.Completed, (await context.Engine.GetAsync())!.State);
        }),
    };

    public static TheoryData<string> CaseNames => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public async Task Quota_matches_the_store_after(string name)
    {
        (bool canReplace, Func<Context, Task> runAsync) = Cases[name];
        var store = new LateFailureStore(canReplace);
        await using var engine = new TestEngine(
            store, TimeProvider.System, TestSettings.Default with { MaxBytesPerOwner = MaxBytes, MaxUploadsPerOwner = MaxUploads });
        await runAsync(new Context(engine, store));
        Assert.True(store.HasIntervened);

        (int uploads, long bytes) = await store.GetUsageAsync();
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, (await engine.AppendToPartAsync("probe", 0, [], MaxBytes - bytes + 1)).Kind);
        Assert.Equal(UploadResultKind.Appended, (await engine.AppendToPartAsync("probe", 0, [], MaxBytes - bytes)).Kind);
        for (int i = uploads + 1; i < MaxUploads; i++)
        {
            Assert.Equal(UploadResultKind.Appended, (await engine.AppendToPartAsync($"probe-{i}", 0, [], 0)).Kind);
        }

        Assert.Equal(UploadResultKind.TooManyUploads, (await engine.AppendToPartAsync("last", 0, [], 0)).Kind);
    }

    private sealed record Context(TestEngine Engine, LateFailureStore Store)
    {
        public async Task StartOverAsync(UploadResultKind expected)
        {
            AppendCommand command = TestEngine.CreateCommand(0, new byte[50], 200) with { RestartAtOffsetZero = true };
            if (Store.CanReplace)
            {
                // The length of the body is unknown, so the old upload is replaced after the last byte.
                command = command with { BodyLength = null };
            }

            Assert.Equal(expected, (await Engine.Engine.AppendAsync(command, Engine.Callbacks, default)).Kind);
        }
    }

    /// <summary>A store that throws once after a change of the upload, or lets another process change it before.</summary>
    private sealed class LateFailureStore(bool canReplace) : DelegatingUploadStore(new MemoryUploadStore()), IReplacingStore
    {
        private string? _operation;
        private Func<IUploadStore, Task>? _before;

        public bool CanReplace => canReplace;

        public bool StoresFinalRecords { get; set; } = true;

        public bool HasIntervened { get; private set; }

        public void FailAfter(string operation) => _operation = operation;

        public void Before(string operation, Func<IUploadStore, Task> before) => (_operation, _before) = (operation, before);

        public async Task<QuotaUsage> GetUsageAsync()
        {
            QuotaUsage usage = default;
            await foreach (UploadInfo info in InnerStore.ListAsync(new UploadQuery(), default))
            {
                usage += QuotaUsage.Of(info);
            }

            return usage;
        }

        public override T? GetCapability<T>() where T : class => typeof(T) == typeof(IReplacingStore) && !CanReplace ? null : base.GetCapability<T>();

        public override ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
            InterveneAsync("create", key, () => InnerStore.CreateAsync(key, record, cancellationToken));

        public override ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
            InterveneAsync(
                "append", key, () => StoresFinalRecords ? InnerStore.AppendAsync(key, offset, content, mode, cancellationToken) : base.AppendAsync(key, offset, content, mode, cancellationToken));

        public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
            InterveneAsync("update", key, () => InnerStore.UpdateAsync(key, version, record, cancellationToken));

        public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
            InterveneAsync("delete", key, () => InnerStore.DeleteAsync(key, version, cancellationToken));

        public ValueTask<UpdateResult> ReplaceAsync(
            UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken) =>
            InterveneAsync(
                "replace",
                key,
                () => InnerStore.GetCapability<IReplacingStore>()!.ReplaceAsync(key, version, replacementKey, replacementVersion, cancellationToken));

        private async ValueTask<T> InterveneAsync<T>(string operation, UploadKey key, Func<ValueTask<T>> change)
        {
            if (operation != _operation || key != TestEngine.Key)
            {
                return await change();
            }

            (_operation, HasIntervened) = (null, true);
            if (_before is { } before)
            {
                await before(InnerStore);
                return await change();
            }

            await change();
            throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        }
    }
}

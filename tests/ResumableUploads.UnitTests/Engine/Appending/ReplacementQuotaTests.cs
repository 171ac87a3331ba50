using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>Specifies how a <see cref="ReplacementQuotaTests"/> store fails after the old upload was deleted.</summary>
public enum ReplacementFault
{
    None,
    CreationFindsUpload,
    CreationFails,
    CleanUpFails,
}

/// <summary>The quota after an upload was started over, in a store that can replace an upload in one step, and in one that cannot.</summary>
public class ReplacementQuotaTests
{
    private const int Limit = 1000;

    [Theory]
    [InlineData(ReplacementFault.None)]
    [InlineData(ReplacementFault.CreationFindsUpload)]
    [InlineData(ReplacementFault.CreationFails)]
    [InlineData(ReplacementFault.CleanUpFails)]
    public async Task Quota_matches_the_store_after_a_replacement(ReplacementFault fault)
    {
        var store = new FaultyStore();
        await using var engine = new TestEngine(store, TimeProvider.System, TestSettings.Default with { MaxBytesPerOwner = Limit });
        await engine.AppendAsync(0, new byte[100], 150);
        store.Fault = fault;
        UploadResult result = await StartOverAsync(engine);
        Assert.Equal(fault is ReplacementFault.None or ReplacementFault.CleanUpFails, result is { Kind: UploadResultKind.Appended, Offset: 50 });
        store.Fault = ReplacementFault.None;

        long used = 0;
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery(), default))
        {
            used += QuotaUsage.Of(info).Bytes;
        }

        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, (await engine.AppendToPartAsync("probe", 0, [], Limit - used + 1)).Kind);
        Assert.Equal(UploadResultKind.Appended, (await engine.AppendToPartAsync("probe", 0, [], Limit - used)).Kind);
    }

    /// <summary>A listing may return neither the temporary upload nor the one that it replaces.</summary>
    [Fact]
    public async Task Upload_that_is_replaced_during_a_count_is_counted()
    {
        var time = new FakeTimeProvider();
        var store = new HeldListStore(new MemoryUploadStore(timeProvider: time));
        TimeSpan never = TimeSpan.FromDays(1);
        await using var engine = new TestEngine(
            store, time, TestSettings.Default with { MaxBytesPerOwner = Limit, IdleTimeout = never, MinDataRatePeriod = never });
        await engine.AppendAsync(0, new byte[100], 150);
        var body = new Pipe();
        await body.Writer.WriteAsync(new byte[1]);
        Task<UploadResult> startOver = StartOverAsync(engine, body.Reader, bodyLength: null);
        await Eventually.TrueAsync(
            async () => await store.ListAsync(new UploadQuery(), default).AnyAsync(static info => UploadReplacement.IsTemporary(info.Key)), "the temporary upload exists");

        // The old count is outdated, so the next reservation starts another one.
        time.Advance(TimeSpan.FromMinutes(11));
        store.HoldNextCount();
        Assert.Equal(UploadResultKind.Appended, (await engine.AppendToPartAsync("other", 0, [], 0)).Kind);
        await Eventually.WithinAsync(store.Held);
        await body.Writer.WriteAsync(new byte[49]);
        await body.Writer.CompleteAsync();
        Assert.Equal(UploadResultKind.Appended, (await Eventually.WithinAsync(startOver)).Kind);
        store.Release();
        Assert.Equal(UploadResultKind.OwnerQuotaExceeded, (await engine.AppendToPartAsync("probe", 0, [], Limit - 200 + 1)).Kind);
    }

    private static Task<UploadResult> StartOverAsync(TestEngine engine) => StartOverAsync(engine, PipeReader.Create(new ReadOnlySequence<byte>(new byte[50])), 50);

    private static Task<UploadResult> StartOverAsync(TestEngine engine, PipeReader body, long? bodyLength) => engine.Engine.AppendAsync(
        TestEngine.CreateCommand(0, [], 200) with { Body = body, BodyLength = bodyLength, RestartAtOffsetZero = true },
        engine.Callbacks,
        default).AsTask();

    private sealed class HeldListStore(MemoryUploadStore inner) : DelegatingUploadStore(inner)
    {
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _holds;

        public Task Held => _held.Task;

        public void HoldNextCount() => _holds = true;

        public void Release() => _release.SetResult();

        public override T? GetCapability<T>() where T : class => InnerStore.GetCapability<T>();

        public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            if (_holds && query.Owner is not null)
            {
                _holds = false;
                _held.SetResult();
                await _release.Task.WaitAsync(cancellationToken);
                yield break;
            }

            await foreach (UploadInfo info in InnerStore.ListAsync(query, cancellationToken))
            {
                yield return info;
            }
        }
    }

    private sealed class FaultyStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public ReplacementFault Fault { get; set; }

        public override ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
            key != TestEngine.Key ? base.CreateAsync(key, record, cancellationToken) : Fault switch
            {
                ReplacementFault.CreationFindsUpload => new ValueTask<CreateResult>(new CreateResult(CreateStatus.AlreadyExists, null)),
                ReplacementFault.CreationFails => throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure."),
                _ => base.CreateAsync(key, record, cancellationToken),
            };

        public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
            key != TestEngine.Key && Fault == ReplacementFault.CleanUpFails
                ? throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.")
                : base.DeleteAsync(key, version, cancellationToken);
    }
}

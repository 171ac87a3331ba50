using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>Specifies how a <see cref="ReplacementQuotaTests"/> store fails after the old upload was deleted.</summary>
public enum ReplacementFault
{
    None,
    CreationFindsUpload,
    CreationFails,
    CleanUpFails,
}

/// <summary>The quota after an upload was started over in a store that cannot replace an upload in one step.</summary>
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

    private static Task<UploadResult> StartOverAsync(TestEngine engine) => engine.Engine.AppendAsync(
        new AppendCommand
        {
            Key = TestEngine.Key,
            Offset = 0,
            Body = PipeReader.Create(new ReadOnlySequence<byte>(new byte[50])),
            BodyLength = 50,
            UploadLength = 200,
            CompletionRule = CompletionRule.AtLength,
            RestartAtOffsetZero = true,
            CreateIfMissing = new CreateCommand("test", "name", null),
        },
        engine.Callbacks,
        default).AsTask();

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

using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>Another process creates the upload between the check of a request and its creation.</summary>
public sealed class ForeignCreationTests : IAsyncDisposable
{
    private static readonly Digest Wrong = new(DigestAlgorithm.Sha256, new byte[32]);
    private readonly RacingStore _store = new();
    private readonly TestEngine _engine;

    public ForeignCreationTests() => _engine = new TestEngine(_store, TimeProvider.System);

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Digest_mismatch_removes_only_an_upload_of_the_same_request(bool isForeign)
    {
        _store.IsForeign = isForeign;
        UploadResult result = await _engine.Engine.AppendAsync(
            TestEngine.CreateCommand(0, [1, 2], 3) with { ContentDigest = BodyDigest.From(Wrong) }, _engine.Callbacks, default);
        Assert.Equal((UploadResultKind.DigestMismatch, false), (result.Kind, result.IsCreated));
        Assert.Equal(isForeign, await _engine.GetAsync() is not null);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Append_continues_the_upload(bool isForeign)
    {
        _store.IsForeign = isForeign;
        UploadResult result = await _engine.AppendAsync(0, [1, 2], 3);
        Assert.Equal((UploadResultKind.Appended, 2, !isForeign), (result.Kind, result.Offset, result.IsCreated));
    }

    private sealed class RacingStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public bool IsForeign { get; set; }

        public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
        {
            if (IsForeign)
            {
                var other = new EngineRecord { Protocol = "test", Created = DateTimeOffset.UnixEpoch };
                await InnerStore.CreateAsync(key, new UploadRecord { Length = 3, Data = other.ToBytes() }, cancellationToken);
            }

            return await InnerStore.CreateAsync(key, record, cancellationToken);
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Digests;

/// <summary>A digest of the whole content that an append announces applies to the upload, also if the append or the verification does not end.</summary>
public sealed class AnnouncedDigestTests : IAsyncDisposable
{
    private static readonly byte[] File = [1, 2, 3, 4];
    private static readonly Digest Right = DigestOf(File);
    private static readonly Digest Wrong = DigestOf([5]);
    private static readonly EngineSettings Settings = TestSettings.Default with { GetEngineNames = static () => ["this"] };
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly HookedStore _store;
    private readonly List<TestEngine> _engines = [];
    private readonly TestEngine _engine;
    private readonly List<string?> _completed = [];

    public AnnouncedDigestTests()
    {
        _store = new HookedStore(new MemoryUploadStore(timeProvider: _time));
        _engine = CreateEngine();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TestEngine engine in _engines)
        {
            await engine.DisposeAsync();
        }
    }

    public static TheoryData<bool, bool> Endings => new MatrixTheoryData<bool, bool>([false, true], [false, true]);

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task Verification_that_fails_is_repeated_by_status_and_sweep(bool isSweep, bool isStop)
    {
        await SendAsync(_engine, 0, File[..1], null);
        _store.BeforeOpenRead = _ =>
        {
            _store.BeforeOpenRead = null;
            if (!isStop)
            {
                throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
            }

            _engine.Engine.Stop();
            return Task.CompletedTask;
        };
        UploadResult failed = await SendAsync(_engine, 1, File[1..], Wrong);
        Assert.Equal(isStop ? UploadResultKind.ShuttingDown : UploadResultKind.StorageFailed, failed.Kind);

        TestEngine next = isStop ? CreateEngine() : _engine;
        if (isSweep)
        {
            _time.Advance(Settings.SweepInterval);
            await next.VisitAsync();
        }
        else
        {
            UploadResult? status = await next.Engine.TryCompleteAsync(
                (await next.GetAsync())!, TestEngine.CreateCommand(4, [], null) with { CreateIfMissing = null }, next.Callbacks, default);
            Assert.Equal(UploadResultKind.ReprDigestMismatch, status!.Kind);
        }

        Assert.Equal(UploadState.Receiving, (await next.GetAsync())!.State);
        Assert.Equal(UploadResultKind.ReprDigestMismatch, (await SendAsync(next, 4, [], null)).Kind);
        Assert.Empty(_completed);
        Assert.Equal(UploadResultKind.Completed, (await SendAsync(next, 4, [], Right)).Kind);
        Assert.Equal([Right.ToString()], _completed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Digest_of_an_append_that_ends_early_applies_to_the_rest(bool isRight)
    {
        await SendAsync(_engine, 0, File[..1], null);
        UploadResult cut = await _engine.Engine.AppendAsync(
            TestEngine.CreateCommand(1, [], null) with
            {
                Body = PipeReader.Create(new ReadOnlySequence<byte>(File, 1, 1)),
                BodyLength = 3,
                ReprDigest = isRight ? Right : Wrong,
            },
            _engine.Callbacks,
            default);
        Assert.Equal((UploadResultKind.Appended, 2), (cut.Kind, cut.Offset));
        Assert.Equal(UploadResultKind.ReprDigestMismatch, (await SendAsync(_engine, 2, File[2..], isRight ? Wrong : Right)).Kind);
        Assert.Equal(2, (await _engine.GetAsync())!.Offset);
        Assert.Equal(isRight ? UploadResultKind.Completed : UploadResultKind.ReprDigestMismatch, (await SendAsync(_engine, 2, File[2..], null)).Kind);
        Assert.Equal(isRight ? [Right.ToString()] : [], _completed);
    }

    /// <param name="hasContentDigest">Whether a digest of the bytes of the append stages it; otherwise the protocol verifies the announced digest before it keeps the last bytes.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Digest_of_a_staged_append_applies_to_the_rest(bool hasContentDigest)
    {
        await SendAsync(_engine, 0, File[..1], null);
        UploadResult middle = await _engine.Engine.AppendAsync(
            TestEngine.CreateCommand(1, File[1..2], 4) with
            {
                ReprDigest = Wrong,
                ContentDigest = hasContentDigest ? new BodyDigest(DigestOf(File[1..2])) : null,
                VerifyReprDigestBeforeCommit = !hasContentDigest,
            },
            _engine.Callbacks,
            default);
        Assert.Equal((UploadResultKind.Appended, 2), (middle.Kind, middle.Offset));
        Assert.Equal(UploadResultKind.ReprDigestMismatch, (await SendAsync(_engine, 2, File[2..], null)).Kind);
        Assert.Empty(_completed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Digest_of_staged_bytes_that_are_not_kept_does_not_apply(bool hasContentDigest)
    {
        await SendAsync(_engine, 0, File[..1], null);
        foreach (Digest digest in new[] { Wrong, Right })
        {
            UploadResult last = await _engine.Engine.AppendAsync(
                TestEngine.CreateCommand(1, File[1..], 4) with
                {
                    ReprDigest = digest,
                    ContentDigest = hasContentDigest ? new BodyDigest(DigestOf(File[1..])) : null,
                    VerifyReprDigestBeforeCommit = !hasContentDigest,
                },
                _engine.Callbacks,
                default);
            Assert.Equal(digest == Right ? UploadResultKind.Completed : UploadResultKind.DigestMismatch, last.Kind);
        }
    }

    [Fact]
    public async Task Length_and_digest_are_recorded_together()
    {
        UploadResult created = await SendAsync(_engine, 0, File[..1], null, length: null);
        Assert.Equal(UploadResultKind.Appended, created.Kind);
        int updates = await CountUpdatesAsync(1, File[1..3], Right);
        Assert.Equal(1, updates);
        UploadInfo info = (await _engine.GetAsync())!;
        Assert.Equal((4, Right.ToString()), (info.Length, EngineRecord.From(info).ReprDigest));
        Assert.Equal(UploadResultKind.Completed, (await SendAsync(_engine, 3, File[3..], null)).Kind);
    }

    [Fact]
    public async Task Digest_that_the_creation_announced_needs_no_update()
    {
        await SendAsync(_engine, 0, File[..1], Right);
        Assert.Equal(0, await CountUpdatesAsync(1, File[1..2], Right));
        Assert.Equal(0, await CountUpdatesAsync(2, File[2..3], null));
    }

    [Fact]
    public async Task Other_digest_is_accepted_once_the_content_does_not_match_the_announced_one()
    {
        await SendAsync(_engine, 0, File[..1], Wrong);
        Assert.Equal(UploadResultKind.ReprDigestMismatch, (await SendAsync(_engine, 1, File[1..], Right)).Kind);
        Assert.Equal(1, (await _engine.GetAsync())!.Offset);
        Assert.Equal(UploadResultKind.ReprDigestMismatch, (await SendAsync(_engine, 1, File[1..], null)).Kind);
        Assert.Equal(UploadResultKind.Completed, (await SendAsync(_engine, 4, [], Right)).Kind);
        Assert.Equal([Right.ToString()], _completed);
    }

    private static Digest DigestOf(byte[] bytes) => new(DigestAlgorithm.Sha256, SHA256.HashData(bytes));

    private static Task<UploadResult> SendAsync(TestEngine engine, long offset, byte[] bytes, Digest? digest, long? length = 4) => engine.Engine.AppendAsync(
        TestEngine.CreateCommand(offset, bytes, length) with { ReprDigest = digest }, engine.Callbacks, default).AsTask();

    private async Task<int> CountUpdatesAsync(long offset, byte[] bytes, Digest? digest)
    {
        int updates = 0;
        _store.BeforeUpdate = _ =>
        {
            updates++;
            return Task.CompletedTask;
        };
        Assert.Equal(UploadResultKind.Appended, (await SendAsync(_engine, offset, bytes, digest)).Kind);
        _store.BeforeUpdate = null;
        return updates;
    }

    private TestEngine CreateEngine()
    {
        var engine = new TestEngine(_store, _time, Settings);
        engine.Callbacks.OnCompleted = (record, _) =>
        {
            _completed.Add(record.ReprDigest);
            return Task.FromResult(new HandlerResult(HandlerResultKind.Final, null));
        };
        _engines.Add(engine);
        return engine;
    }
}

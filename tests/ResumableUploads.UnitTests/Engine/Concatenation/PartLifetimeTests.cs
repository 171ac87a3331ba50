using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>Parts neither expire nor are needed longer than necessary while their concatenation can be completed.</summary>
public sealed class PartLifetimeTests : IAsyncLifetime
{
    private const string First = "first";
    private const string Second = "second";
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly HookedStore _hookedStore;
    private readonly TestEngine _engine;
    private readonly TestEngine _other;

    public PartLifetimeTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _hookedStore = new HookedStore(_store);
        _engine = new TestEngine(_hookedStore, _time);
        _other = new TestEngine(_store, _time);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task Part_does_not_expire_while_it_is_copied()
    {
        await _engine.AppendToPartAsync(First, 0, [1, 2], 2);
        await _engine.AppendToPartAsync(Second, 0, [3], 2);
        await _engine.ConcatenateAsync(First, Second);
        _time.Advance(6.9 * Day);
        _hookedStore.BeforeOpenRead = async _ =>
        {
            _hookedStore.BeforeOpenRead = null;
            _time.Advance(0.2 * Day);
            await _other.VisitAsync(First);
        };
        await _engine.AppendToPartAsync(Second, 1, [4], 2);
        await ShouldBeCompletedAsync([1, 2, 3, 4]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6.9)]
    public async Task Part_does_not_expire_before_the_interrupted_concatenation_that_needs_it(double days)
    {
        await SendPartsAsync();
        _time.Advance(days * Day);
        await InterruptAsync(Second);
        for (double i = 0; i < 6.9; i += 0.5)
        {
            _time.Advance(0.5 * Day);
            await _other.VisitAsync(First);
            await _other.VisitAsync(Second);
        }

        await _other.CompleteAsync();
        await ShouldBeCompletedAsync([1, 2, 3, 4]);
    }

    [Fact]
    public async Task Part_that_reaches_MaxAge_is_kept_for_a_newer_concatenation()
    {
        EngineSettings settings = TestSettings.Default with { Expiration = 40 * Day, MaxAge = 30 * Day };
        await using var engine = new TestEngine(_store, _time, settings);
        await engine.AppendToPartAsync(First, 0, [1, 2], 2);
        _time.Advance(29.9 * Day);
        await engine.AppendToPartAsync(Second, 0, [3], 2);
        await engine.ConcatenateAsync(First, Second);
        _time.Advance(0.2 * Day);
        await engine.VisitAsync(First);
        await engine.AppendToPartAsync(Second, 1, [4], 2);
        await ShouldBeCompletedAsync([1, 2, 3, 4]);
    }

    [Fact]
    public async Task Part_received_while_its_concatenation_waited_does_not_expire_during_the_copy()
    {
        await _engine.AppendToPartAsync(First, 0, [1, 2], 2);
        await _engine.AppendToPartAsync(Second, 0, [3], 2);
        await _engine.ConcatenateAsync(First, Second);

        // The process that receives the last byte does not know the concatenation.
        await _other.AppendToPartAsync(Second, 1, [4], 2);
        _time.Advance(6.9 * Day);
        _hookedStore.BeforeOpenRead = static key => key.Id != Second ? Task.CompletedTask : throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        await _engine.CompleteAsync();
        Assert.Equal(2, (await _store.GetAsync(TestEngine.Key, default))!.Offset);
        _time.Advance(0.2 * Day);
        await _other.VisitAsync(Second);
        await _other.CompleteAsync();
        await ShouldBeCompletedAsync([1, 2, 3, 4]);
    }

    [Fact]
    public async Task Part_received_while_its_concatenation_waits_does_not_expire_before_it()
    {
        EngineSettings settings = TestSettings.Default with { Expiration = 40 * Day, MaxAge = 30 * Day };
        await using var engine = new TestEngine(_store, _time, settings);
        await engine.AppendToPartAsync(First, 0, [1], 2);
        _time.Advance(29.9 * Day);
        await engine.AppendToPartAsync(Second, 0, [3], 2);
        await engine.ConcatenateAsync(First, Second);
        await engine.AppendToPartAsync(First, 1, [2], 2);
        _time.Advance(0.2 * Day);
        await engine.VisitAsync(First);
        await engine.AppendToPartAsync(Second, 1, [4], 2);
        await ShouldBeCompletedAsync([1, 2, 3, 4]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Part_that_is_copied_is_not_needed_to_resume(bool inSameProcess)
    {
        await SendPartsAsync();
        await InterruptAsync(Second);
        Assert.Equal(2, (await _store.GetAsync(TestEngine.Key, default))!.Offset);
        await _store.DeleteAsync(KeyOf(First), null, default);
        await (inSameProcess ? _engine : _other).CompleteAsync();
        await ShouldBeCompletedAsync([1, 2, 3, 4]);
    }

    [Fact]
    public async Task Part_that_is_deleted_before_it_is_copied_fails_the_resumed_concatenation()
    {
        await SendPartsAsync();
        await InterruptAsync(Second);
        await _store.DeleteAsync(KeyOf(Second), null, default);
        await _other.CompleteAsync();
        Assert.Null(await _other.GetAsync());
        Assert.True(_other.HasLogged(240));
    }

    [Fact]
    public async Task Part_that_was_sent_again_with_another_length_fails_the_resumed_concatenation()
    {
        await SendPartsAsync();
        await InterruptAsync(Second);
        await _store.DeleteAsync(KeyOf(Second), null, default);
        await _other.AppendToPartAsync(Second, 0, [5, 6, 7], 3);
        await _other.CompleteAsync();
        Assert.Null(await _other.GetAsync());
        Assert.True(_other.HasLogged(240));
    }

    [Fact]
    public async Task Parts_of_a_concatenation_that_never_succeeds_expire()
    {
        await SendPartsAsync();
        await InterruptAsync(Second);
        _hookedStore.BeforeOpenRead = static _ => throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        for (int day = 0; day < 30; day++)
        {
            _time.Advance(Day);
            foreach (string id in (string[])[TestEngine.Key.Id, First, Second])
            {
                await _engine.VisitAsync(id);
            }
        }

        Assert.Empty(await _store.ListAsync(new UploadQuery(), default).ToListAsync());
    }

    [Fact]
    public async Task Part_whose_content_is_shorter_than_its_offset_fails_the_concatenation()
    {
        var store = new ShortContentStore(_store);
        await using var engine = new TestEngine(store, _time);
        await SendPartsAsync();
        UploadResult result = await engine.ConcatenateAsync(First, Second);
        Assert.Equal(UploadResultKind.PartNotFound, result.Kind);
        Assert.Null(await engine.GetAsync());
    }

    [Fact]
    public async Task Concatenation_that_will_exceed_the_maximum_size_is_not_created()
    {
        await using var engine = new TestEngine(_store, _time, TestSettings.Default with { MaxUploadSize = 10 });
        await engine.AppendToPartAsync(First, 0, [1], 6);
        await engine.AppendToPartAsync(Second, 0, [2], 5);
        UploadResult result = await engine.ConcatenateAsync(First, Second);
        Assert.Equal((UploadResultKind.UploadTooLarge, 10), (result.Kind, result.MaxUploadSize));
        Assert.Null(await engine.GetAsync());
    }

    private static UploadKey KeyOf(string id) => new(TestEngine.Key.Owner, id);

    private async Task SendPartsAsync()
    {
        await _engine.AppendToPartAsync(First, 0, [1, 2], 2);
        await _engine.AppendToPartAsync(Second, 0, [3, 4], 2);
    }

    /// <summary>Creates a concatenation that fails when it opens a part.</summary>
    private async Task InterruptAsync(string part)
    {
        _hookedStore.BeforeOpenRead = key => key.Id != part ? Task.CompletedTask : throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
        Assert.Equal(UploadResultKind.Appended, (await _engine.ConcatenateAsync(First, Second)).Kind);
        _hookedStore.BeforeOpenRead = null;
    }

    private async Task ShouldBeCompletedAsync(byte[] content)
    {
        UploadInfo info = Assert.Single(await _store.ListAsync(new UploadQuery(), default).ToListAsync());
        Assert.Equal((TestEngine.Key, UploadState.Completed), (info.Key, info.State));
        await using Stream stream = (await _store.OpenReadAsync(info.Key, default))!;
        byte[] stored = new byte[stream.Length];
        await stream.ReadExactlyAsync(stored);
        Assert.Equal(content, stored);
    }

    /// <summary>A store that has lost the last byte of each content.</summary>
    private sealed class ShortContentStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
    {
        public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
        {
            await using Stream content = (await InnerStore.OpenReadAsync(key, cancellationToken))!;
            byte[] bytes = new byte[content.Length - 1];
            await content.ReadExactlyAsync(bytes, cancellationToken);
            return new MemoryStream(bytes);
        }
    }
}

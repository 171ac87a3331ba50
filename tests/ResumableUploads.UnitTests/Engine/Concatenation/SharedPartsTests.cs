using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>Concatenations and parts that two processes receive, as two engines on one store.</summary>
public sealed class SharedPartsTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly MemoryUploadStore _store;
    private readonly TestEngine _first;
    private readonly TestEngine _second;

    public SharedPartsTests()
    {
        _store = new MemoryUploadStore(timeProvider: _time);
        _first = new TestEngine(_store, _time);
        _second = new TestEngine(_store, _time);
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _store.Dispose();
    }

    [Fact]
    public async Task Concatenation_is_joined_after_another_process_has_received_its_last_part()
    {
        await _first.AppendToPartAsync("a", 0, [1], 1);
        await _first.AppendToPartAsync("b", 0, [2], 2);
        Assert.Equal(UploadResultKind.Appended, (await _first.ConcatenateAsync("a", "b")).Kind);
        await VisitAfterAsync(_first, TimeSpan.FromSeconds(2));
        Assert.Equal(UploadState.Receiving, (await _first.GetAsync())!.State);
        Assert.Equal(UploadResultKind.Appended, (await _second.AppendToPartAsync("b", 1, [3], 2)).Kind);
        await VisitAfterAsync(_first, TimeSpan.FromSeconds(2));
        Assert.Equal((byte[])[1, 2, 3], await ReadAsync(TestEngine.Key.Id));
    }

    [Fact]
    public async Task Two_concatenations_of_the_same_parts_in_two_processes_are_joined()
    {
        await _first.AppendToPartAsync("a", 0, [1], 1);
        await _first.AppendToPartAsync("b", 0, [2], 2);
        Assert.Equal(UploadResultKind.Appended, (await _first.ConcatenateToAsync("x", "a", "b")).Kind);
        Assert.Equal(UploadResultKind.Appended, (await _second.ConcatenateToAsync("y", "b", "a")).Kind);
        await _second.AppendToPartAsync("b", 1, [3], 2);
        Assert.Equal((byte[])[2, 3, 1], await ReadAsync("y"));
        await VisitAfterAsync(_first, TimeSpan.FromSeconds(2));
        Assert.Equal((byte[])[1, 2, 3], await ReadAsync("x"));
        Assert.Null(await _store.GetAsync(new UploadKey(TestEngine.Key.Owner, "a"), default));
        Assert.Null(await _store.GetAsync(new UploadKey(TestEngine.Key.Owner, "b"), default));
    }

    /// <summary>A sweep has read the part before another process received its last byte and began to copy.</summary>
    [Fact]
    public async Task Concatenation_that_another_process_has_begun_is_not_removed_by_a_sweep()
    {
        await using var failing = new TestEngine(new UnreadableStore(_store), _time);
        await _first.AppendToPartAsync("a", 0, [1], 1);
        await _first.AppendToPartAsync("b", 0, [2], 2);
        Assert.Equal(UploadResultKind.Appended, (await _first.ConcatenateAsync("a", "b")).Kind);
        await _first.VisitAsync();
        await failing.VisitAsync();
        await failing.AppendToPartAsync("b", 1, [3], 2);
        Assert.NotNull(EngineRecord.From((await _first.GetAsync())!).Concatenation!.PartLengths);
        await _first.VisitAsync();
        Assert.Equal((byte[])[1, 2, 3], await ReadAsync(TestEngine.Key.Id));
    }

    /// <summary>The creation has succeeded, and a later request or the sweep copies the parts.</summary>
    [Fact]
    public async Task Creation_of_concatenation_whose_parts_cannot_be_read_yet_succeeds()
    {
        await using var failing = new TestEngine(new UnreadableStore(_store), _time);
        await failing.AppendToPartAsync("a", 0, [1], 1);
        UploadResult result = await failing.ConcatenateAsync("a");
        Assert.Equal((UploadResultKind.Appended, true), (result.Kind, result.IsCreated));
        await _first.VisitAsync();
        Assert.Equal((byte[])[1], await ReadAsync(TestEngine.Key.Id));
    }

    /// <summary>Nothing runs the endpoint later, so the client must receive an error and be able to repeat its request.</summary>
    [Fact]
    public async Task Creation_of_concatenation_for_endpoint_that_cannot_be_read_can_be_repeated()
    {
        await using var failing = new TestEngine(new UnreadableStore(_store), _time) { IsEndpoint = true };
        await failing.AppendToPartAsync("a", 0, [1], 1);
        UploadResult result = await failing.ConcatenateAsync("a");
        Assert.Equal((UploadResultKind.StorageFailed, false), (result.Kind, result.IsCreated));
        Assert.Null(await failing.GetAsync());
        _first.IsEndpoint = true;
        Assert.Equal(UploadResultKind.Completed, (await _first.ConcatenateAsync("a")).Kind);
        Assert.Equal((byte[])[1], await ReadAsync(TestEngine.Key.Id));
    }

    private Task VisitAfterAsync(TestEngine engine, TimeSpan time)
    {
        _time.Advance(time);
        return engine.VisitEarlyAsync();
    }

    private async Task<byte[]> ReadAsync(string id)
    {
        var key = new UploadKey(TestEngine.Key.Owner, id);
        Assert.Equal(UploadState.Completed, (await _store.GetAsync(key, default))!.State);
        await using Stream content = (await _store.OpenReadAsync(key, default))!;
        byte[] bytes = new byte[content.Length];
        await content.ReadExactlyAsync(bytes);
        return bytes;
    }

    private sealed class UnreadableStore(IUploadStore store) : DelegatingUploadStore(store)
    {
        public override ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
            throw new UploadStoreException(StoreFailure.Unavailable, "The content cannot be read.");
    }
}

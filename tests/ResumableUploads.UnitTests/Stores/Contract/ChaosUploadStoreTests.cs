using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.UnitTests.Stores.Contract;

public class ChaosUploadStoreTests
{
    private static readonly UploadKey Key = new("owner", "upload");

    private readonly FakeTimeProvider _time = new();
    private readonly MemoryUploadStore _inner = new();
    private readonly ChaosUploadStore _store;

    public ChaosUploadStoreTests() => _store = new ChaosUploadStore(_inner, _time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<ChaosOperation> Operations => [.. Enum.GetValues<ChaosOperation>()];

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task Fault_happens_only_in_the_given_calls(ChaosOperation operation)
    {
        await _inner.CreateAsync(Key, new UploadRecord(), Token);
        _store.InjectFault(operation, ChaosTiming.BeforeCall, ChaosFault.Throw(StoreFailure.ReadOnly), skip: 1, times: 2);
        foreach (ChaosOperation other in Enum.GetValues<ChaosOperation>().Except([operation, ChaosOperation.Delete]))
        {
            await CallAsync(other);
        }

        await CallAsync(operation);
        Assert.Equal(StoreFailure.ReadOnly, (await Assert.ThrowsAsync<UploadStoreException>(() => CallAsync(operation))).Failure);
        await Assert.ThrowsAsync<UploadStoreException>(() => CallAsync(operation));
        await CallAsync(operation);
    }

    [Fact]
    public async Task Fault_after_the_call_keeps_its_effect()
    {
        _store.InjectFault(ChaosOperation.Create, ChaosTiming.AfterCall, ChaosFault.Throw(StoreFailure.Unavailable));
        await Assert.ThrowsAsync<UploadStoreException>(() => CallAsync(ChaosOperation.Create));
        Assert.NotNull(await _inner.GetAsync(Key, Token));

        _store.InjectFault(ChaosOperation.Append, ChaosTiming.AfterCall, ChaosFault.Throw(StoreFailure.Unavailable));
        await Assert.ThrowsAsync<UploadStoreException>(() => CallAsync(ChaosOperation.Append));
        Assert.Equal(3, (await _inner.GetAsync(Key, Token))!.Offset);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4000)]
    [InlineData(9999)]
    public async Task Partial_write_keeps_the_first_bytes_and_throws_with_the_offset(int count)
    {
        byte[] bytes = [.. Enumerable.Range(0, 10_000).Select(static i => (byte)(i % 251))];
        await _inner.CreateAsync(Key, new UploadRecord(), Token);
        _store.InjectFault(ChaosOperation.Append, ChaosTiming.BeforeCall, ChaosFault.PartialWrite(count, StoreFailure.Full));
        UploadStoreException e = await Assert.ThrowsAsync<UploadStoreException>(
            async () => await _store.AppendAsync(Key, 0, RecordingContent.FromBytes(bytes), AppendMode.KeepPartial, Token));
        Assert.Equal((StoreFailure.Full, (long?)count), (e.Failure, e.DurableOffset));

        await _store.AppendAsync(Key, count, RecordingContent.FromBytes(bytes.AsSpan(count)), AppendMode.KeepPartial, Token);
        using Stream content = (await _inner.OpenReadAsync(Key, Token))!;
        byte[] stored = new byte[bytes.Length];
        await content.ReadExactlyAsync(stored, Token);
        Assert.Equal(bytes, stored);
    }

    [Fact]
    public async Task Partial_write_longer_than_the_content_does_not_fail()
    {
        await _inner.CreateAsync(Key, new UploadRecord(), Token);
        _store.InjectFault(ChaosOperation.Append, ChaosTiming.BeforeCall, ChaosFault.PartialWrite(3, StoreFailure.Full));
        await CallAsync(ChaosOperation.Append);
        Assert.Equal(3, (await _inner.GetAsync(Key, Token))!.Offset);
    }

    [Fact]
    public async Task Partial_write_of_staged_append_keeps_nothing()
    {
        await _inner.CreateAsync(Key, new UploadRecord(), Token);
        _store.InjectFault(ChaosOperation.Append, ChaosTiming.BeforeCall, ChaosFault.PartialWrite(2, StoreFailure.Full));
        await Assert.ThrowsAsync<UploadStoreException>(
            async () => await _store.AppendAsync(Key, 0, RecordingContent.FromBytes([1, 2, 3]), AppendMode.AllOrNothing, Token));
        Assert.Equal(0, (await _inner.GetAsync(Key, Token))!.Offset);
    }

    [Fact]
    public async Task Delay_is_measured_by_the_time_provider()
    {
        _store.InjectFault(ChaosOperation.Get, ChaosTiming.BeforeCall, ChaosFault.Delay(TimeSpan.FromMinutes(1)));
        Task<UploadInfo?> get = _store.GetAsync(Key, Token).AsTask();
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(get.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await get);
    }

    [Fact]
    public async Task Cleared_faults_do_not_happen()
    {
        _store.InjectFault(ChaosOperation.Get, ChaosTiming.BeforeCall, ChaosFault.Throw(StoreFailure.Full));
        _store.ClearFaults();
        Assert.Null(await _store.GetAsync(Key, Token));
    }

    [Fact]
    public void Partial_write_in_another_operation_throws() =>
        Assert.Throws<ArgumentException>(() => _store.InjectFault(ChaosOperation.Get, ChaosTiming.BeforeCall, ChaosFault.PartialWrite(1, StoreFailure.Full)));

    private async Task CallAsync(ChaosOperation operation)
    {
        switch (operation)
        {
            case ChaosOperation.Create:
                await _store.CreateAsync(Key, new UploadRecord(), Token);
                break;
            case ChaosOperation.Get:
                await _store.GetAsync(Key, Token);
                break;
            case ChaosOperation.Append:
                await _store.AppendAsync(Key, 0, RecordingContent.FromBytes([1, 2, 3]), AppendMode.KeepPartial, Token);
                break;
            case ChaosOperation.Update:
                await _store.UpdateAsync(Key, "none", new UploadRecord(), Token);
                break;
            case ChaosOperation.OpenRead:
                await ((await _store.OpenReadAsync(Key, Token))?.DisposeAsync() ?? default);
                break;
            case ChaosOperation.Delete:
                await _store.DeleteAsync(Key, null, Token);
                break;
            case ChaosOperation.List:
                await _store.ListAsync(new UploadQuery(), Token).CountAsync(Token);
                break;
            case ChaosOperation.Complete:
                await _store.CompleteAsync(Key, "none", new UploadRecord { State = UploadState.Completed }, new byte[1], Token);
                break;
            default:
                await _store.GetResponseAsync(Key, Token);
                break;
        }
    }
}

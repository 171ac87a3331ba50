using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for stores that can ask another process to end its append. The first store stands for that process.</content>
internal sealed partial class StoreCases
{
    private const StoreCapabilities SharedTakeovers = StoreCapabilities.Takeovers | StoreCapabilities.SharedStorage;

    /// <summary>A timeout that does not end, because the clock advances slowly.</summary>
    private static readonly TimeSpan LongTakeover = TimeSpan.FromDays(1);

    private static readonly TimeSpan RealDelay = TimeSpan.FromMilliseconds(5);

    [Case(0, Requires = SharedTakeovers)]
    [Case(1, Requires = SharedTakeovers)]
    [Case(300_000, Requires = SharedTakeovers)]
    public Task Takeover_ends_the_append_of_another_store_and_keeps_its_bytes(int sent) => WithListenerAsync(async other =>
    {
        var content = new RecordingContent { OnReleaseRequested = static content => content.Complete() };
        content.Send(Bytes(sent));
        Task<AppendResult> append = await StartAcceptedAppendAsync(content);
        CaseAssert.Equal(TakeoverStatus.Released, await TakeOverAsync(other, LongTakeover));

        UploadInfo info = CaseAssert.RequireNotNull(await other.GetAsync(Key, Token));
        AppendResult ended = await append.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(info.Offset, ended.Offset);
        CaseAssert.True(ended.Status == AppendStatus.TakenOver || (ended.Status, ended.Offset) == (AppendStatus.Appended, sent), $"The append ended with {ended}.");
        await AssertContinuesAsync(other, info.Offset, Bytes(sent)[..(int)info.Offset]);
    });

    [Case(Requires = SharedTakeovers)]
    public Task Append_that_does_not_end_is_not_taken_over_or_does_not_count() => WithListenerAsync(async other =>
    {
        var content = new RecordingContent();
        content.Send(Bytes(1000));
        Task<AppendResult> append = await StartAcceptedAppendAsync(content);
        TakeoverStatus status = await TakeOverAsync(other, TimeSpan.FromSeconds(1));
        UploadInfo info = CaseAssert.RequireNotNull(await other.GetAsync(Key, Token));
        content.Send(Bytes(500, 2));
        content.Complete();
        AppendResult ended = await append.WaitAsync(CaseTimeout, Token);
        if (status == TakeoverStatus.StillAppending)
        {
            CaseAssert.Equal((AppendStatus.Appended, 1500L), (ended.Status, ended.Offset));
            return;
        }

        CaseAssert.Equal((TakeoverStatus.Released, AppendStatus.TakenOver), (status, ended.Status));
        CaseAssert.Equal(info.Offset, (await GetAsync()).Offset);
        await AssertContinuesAsync(other, info.Offset, Bytes(1000)[..(int)info.Offset]);
    });

    [Case(Requires = SharedTakeovers)]
    public Task Append_that_was_taken_over_adds_no_bytes_after_its_successor() => WithListenerAsync(async other =>
    {
        var content = new RecordingContent();
        content.Send(Bytes(1000));
        Task<AppendResult> append = await StartAcceptedAppendAsync(content);
        if (await TakeOverAsync(other, TimeSpan.FromSeconds(1)) == TakeoverStatus.StillAppending)
        {
            content.Complete();
            CaseAssert.Equal((AppendStatus.Appended, 1000L), await GetStatusAsync(append));
            return;
        }

        UploadInfo info = CaseAssert.RequireNotNull(await other.GetAsync(Key, Token));
        byte[] before = Bytes(1000)[..(int)info.Offset];
        await AssertContinuesAsync(other, info.Offset, before);
        content.Send(Bytes(BlockSize, 2));
        content.Complete();
        AppendResult ended = await append.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(AppendStatus.TakenOver, ended.Status);
        CaseAssert.Equal(info.Offset + 100, (await other.GetAsync(Key, Token))?.Offset ?? -1);
        CaseAssert.Equal(Concatenate(before, Bytes(100, 3)), await ReadContentAsync(other, Key));
    });

    [Case(Requires = SharedTakeovers)]
    public Task Takeover_without_an_append_changes_nothing() => WithListenerAsync(async other =>
    {
        async Task AssertNotAppendingAsync()
        {
            TakeoverStatus status = await GetTakeoverStore(other).TakeOverAsync(Key, LongTakeover, Token).AsTask().WaitAsync(CaseTimeout, Token);
            CaseAssert.True(status is TakeoverStatus.NotAppending or TakeoverStatus.NotShared, $"The takeover ended with {status}.");
        }

        await AssertNotAppendingAsync();
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        await AssertNotAppendingAsync();
        CaseAssert.Equal(before.Version, (await GetAsync()).Version);
        CaseAssert.Equal((AppendStatus.Appended, 20L), await AppendStatusAsync(10, Bytes(10, 2)));
        UploadInfo received = await UpdateStateAsync(UploadState.Received);
        await AssertNotAppendingAsync();
        CaseAssert.Equal(received.Version, (await GetAsync()).Version);
    });

    [Case(Requires = SharedTakeovers)]
    public Task Takeover_does_not_end_the_append_of_another_upload() => WithListenerAsync(async other =>
    {
        var neighbor = new UploadKey(Key.Owner, "neighbor");
        await CreateAsync(neighbor);
        bool isAsked = false;
        var content = new RecordingContent { OnReleaseRequested = _ => isAsked = true };
        Task<AppendResult> append = StartAppend(0, content, neighbor);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        var released = new RecordingContent { OnReleaseRequested = static content => content.Complete() };
        Task<AppendResult> releasedAppend = await StartAcceptedAppendAsync(released);
        CaseAssert.Equal(TakeoverStatus.Released, await TakeOverAsync(other, LongTakeover));
        await releasedAppend.WaitAsync(CaseTimeout, Token);
        content.Send(Bytes(10));
        content.Complete();
        AppendResult ended = await append.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal((AppendStatus.Appended, 10L), (ended.Status, ended.Offset));
        CaseAssert.False(isAsked, "The append of another upload was asked to end.");
    });

    private static ITakeoverStore GetTakeoverStore(IUploadStore store) => CaseAssert.RequireNotNull(store.GetCapability<ITakeoverStore>());

    /// <summary>Runs a case with a second store, while the first one listens.</summary>
    private async Task WithListenerAsync(Func<IUploadStore, Task> run)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task listening = GetTakeoverStore(Store).ListenAsync(stop.Token);
        IUploadStore other = await OpenStoreAsync();
        try
        {
            await run(other);
        }
        finally
        {
            await DisposeStoreAsync(other);
            await stop.CancelAsync();
            await listening.WaitAsync(CaseTimeout, CancellationToken.None);
        }
    }

    private async Task<Task<AppendResult>> StartAcceptedAppendAsync(RecordingContent content)
    {
        await CreateAsync();
        Task<AppendResult> append = StartAppend(0, content);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        return append;
    }

    /// <summary>Takes over an upload that the first store appends to, as soon as that store listens, while the clock advances.</summary>
    private async Task<TakeoverStatus> TakeOverAsync(IUploadStore store, TimeSpan timeout)
    {
        ITakeoverStore takeoverStore = GetTakeoverStore(store);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        deadline.CancelAfter(CaseTimeout);
        while (true)
        {
            Task<TakeoverStatus> takeover = takeoverStore.TakeOverAsync(Key, timeout, deadline.Token).AsTask();
            while (!takeover.IsCompleted)
            {
                await Task.WhenAny(takeover, Task.Delay(RealDelay, TimeProvider.System, deadline.Token));
                Time.Advance(TimeSpan.FromMilliseconds(20));
            }

            if (await takeover is var status && status is not (TakeoverStatus.NotAppending or TakeoverStatus.NotShared))
            {
                return status;
            }

            await Task.Delay(RealDelay, TimeProvider.System, deadline.Token);
            Time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>Appends at an offset through another store, and checks the whole content.</summary>
    private async Task AssertContinuesAsync(IUploadStore store, long offset, byte[] before)
    {
        AppendResult next = await store.AppendAsync(Key, offset, RecordingContent.FromBytes(Bytes(100, 3)), AppendMode.KeepPartial, Token);
        CaseAssert.Equal((AppendStatus.Appended, offset + 100), (next.Status, next.Offset));
        CaseAssert.Equal(Concatenate(before, Bytes(100, 3)), await ReadContentAsync(store, Key));
    }
}

using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for stores that can make two changes durable together. They do not check what is durable.</content>
internal sealed partial class StoreCases
{
    private IDeferredSyncStore DeferredSyncStore => CaseAssert.RequireNotNull(Store.GetCapability<IDeferredSyncStore>());

    [Case(Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_update_is_visible_at_once()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(1000));
        var record = new UploadRecord { State = UploadState.Received, Length = 1000, SlidingExpiration = TimeSpan.FromHours(2), Data = Bytes(50) };
        UploadInfo updated = CaseAssert.RequireNotNull((await UpdateDeferredAsync(before.Version, record)).Info);
        UploadInfo unsynced = CaseAssert.RequireNotNull(await DeferredSyncStore.GetUnsyncedAsync(Key, Token));
        UploadInfo current = await GetAsync();
        CaseAssert.NotEqual(before.Version, current.Version);
        foreach (UploadInfo info in (UploadInfo[])[updated, unsynced])
        {
            CaseAssert.Equal((current.Key, current.Version, current.Offset, current.LastModified), (info.Key, info.Version, info.Offset, info.LastModified));
            AssertRecordsEqual(record, info.Record);
        }

        AssertRecordsEqual(record, current.Record);
        CaseAssert.Equal(Bytes(1000), await ReadContentAsync());
        CaseAssert.Equal([Key], await ListAsync());
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Get_unsynced_returns_what_get_returns()
    {
        CaseAssert.Null(await DeferredSyncStore.GetUnsyncedAsync(Key, Token));
        await CreateWithContentAsync(Bytes(10));
        UploadInfo unsynced = CaseAssert.RequireNotNull(await DeferredSyncStore.GetUnsyncedAsync(Key, Token));
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((current.Version, current.Offset, current.State), (unsynced.Version, unsynced.Offset, unsynced.State));
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_updates_can_follow_each_other_and_other_changes()
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        for (int i = 0; i < 3; i++)
        {
            info = CaseAssert.RequireNotNull((await UpdateDeferredAsync(info.Version, info.Record with { Data = Bytes(5, i) })).Info);
        }

        CaseAssert.Equal((AppendStatus.Appended, 30L), await AppendStatusAsync(10, Bytes(20, 2)));
        info = await UpdateStateAsync(UploadState.Received);
        CaseAssert.Equal(Bytes(5, 2), info.Record.Data.ToArray());
        CaseAssert.Equal(ChangeStatus.Succeeded, (await UpdateDeferredAsync(info.Version, info.Record)).Status);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, (await GetAsync()).Version, Token)).Status);
        CaseAssert.Null(await DeferredSyncStore.GetUnsyncedAsync(Key, Token));
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_change_with_a_stale_version_changes_nothing()
    {
        UploadInfo stale = await CreateWithContentAsync(Bytes(10));
        UploadInfo current = await UpdateStateAsync(UploadState.Received);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), await UpdateDeferredAsync(stale.Version, CompletedRecord));
        CaseAssert.Equal((current.Version, UploadState.Received), ((await GetAsync()).Version, (await GetAsync()).State));
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_change_of_a_missing_upload_returns_NotFound()
    {
        CaseAssert.Equal(new UpdateResult(ChangeStatus.NotFound, null), await UpdateDeferredAsync("none", CompletedRecord));
        CaseAssert.Null(await Store.GetAsync(Key, Token));
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_change_during_an_append_returns_Busy()
    {
        UploadInfo info = await CreateAsync();
        var content = new RecordingContent();
        content.Send(Bytes(5));
        Task<AppendResult> append = StartAppend(0, content);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.Busy, null), await UpdateDeferredAsync(info.Version, CompletedRecord));
        content.Complete();
        CaseAssert.Equal((AppendStatus.Appended, 5L), await GetStatusAsync(append));
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_change_back_to_an_earlier_state_throws()
    {
        await CreateWithContentAsync(Bytes(10));
        UploadInfo info = await UpdateStateAsync(UploadState.Completed);
        var record = new UploadRecord { State = UploadState.Received };
        await CaseAssert.ThrowsAsync<ArgumentException>(async () => await UpdateDeferredAsync(info.Version, record));
        CaseAssert.Equal(info.Version, (await GetAsync()).Version);
    }

    [Case(10, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(100_000, Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_update_can_precede_and_follow_a_completion(int length)
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        CaseAssert.Equal(ChangeStatus.Succeeded, (await UpdateDeferredAsync(info.Version, info.Record with { State = UploadState.Received })).Status);
        info = await CompleteAsync(Bytes(length));
        CaseAssert.Equal(ChangeStatus.Succeeded, (await UpdateDeferredAsync(info.Version, CompletedRecord)).Status);
        CaseAssert.Equal(Bytes(length), await ReadResponseAsync());
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs | StoreCapabilities.SingleRequests)]
    public async Task Deferred_creation_is_visible_at_once()
    {
        UploadRecord record = CompletedRecord with { State = UploadState.Received, Data = Bytes(20) };
        byte[] bytes = Bytes(5000);
        CreateResult result = await DeferredSyncStore.CreateCompletedDeferredAsync(Key, record, new ReadOnlySequence<byte>(bytes), Token);
        bytes.AsSpan().Clear();
        CaseAssert.Equal(CreateStatus.Created, result.Status);
        UploadInfo unsynced = CaseAssert.RequireNotNull(await DeferredSyncStore.GetUnsyncedAsync(Key, Token));
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((current.Version, current.Version, 5000L), (unsynced.Version, result.Info!.Version, current.Offset));
        AssertRecordsEqual(record, current.Record);
        CaseAssert.Equal(Bytes(5000), await ReadContentAsync());
        CaseAssert.Equal([Key], await ListAsync());
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs | StoreCapabilities.SingleRequests)]
    public async Task Deferred_creation_with_existing_key_returns_AlreadyExists()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        CreateResult result = await DeferredSyncStore.CreateCompletedDeferredAsync(Key, CompletedRecord, new ReadOnlySequence<byte>(Bytes(20, 2)), Token);
        CaseAssert.Equal(new CreateResult(CreateStatus.AlreadyExists, null), result);
        CaseAssert.Equal(before.Version, (await GetAsync()).Version);
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs | StoreCapabilities.SingleRequests)]
    public async Task Deferred_creation_in_receiving_state_throws()
    {
        await CaseAssert.ThrowsAsync<ArgumentException>(
            async () => await DeferredSyncStore.CreateCompletedDeferredAsync(Key, new UploadRecord(), new ReadOnlySequence<byte>(Bytes(10)), Token));
        CaseAssert.Null(await Store.GetAsync(Key, Token));
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs | StoreCapabilities.SharedStorage)]
    public async Task Deferred_changes_are_visible_to_another_store_and_survive_reopening()
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        IUploadStore other = await OpenStoreAsync();
        info = CaseAssert.RequireNotNull((await UpdateDeferredAsync(info.Version, info.Record with { State = UploadState.Received })).Info);
        CaseAssert.Equal(info.Version, (await other.GetAsync(Key, Token))?.Version ?? "none");
        await DisposeStoreAsync(other);
        info = CaseAssert.RequireNotNull((await UpdateDeferredAsync(info.Version, info.Record with { Data = Bytes(5) })).Info);
        await DisposeStoreAsync(_store);
        _store = await OpenStoreAsync();
        CaseAssert.Equal(info.Version, (await GetAsync()).Version);
        await CompleteAsync(Bytes(20));
        await DisposeStoreAsync(_store);
        _store = await OpenStoreAsync();
        CaseAssert.Equal(UploadState.Completed, (await GetAsync()).State);
        CaseAssert.Equal(Bytes(20), await ReadResponseAsync());
    }

    [Case(Excludes = StoreCapabilities.DeferredSyncs)]
    public Task Store_without_deferred_syncs_capability_does_not_have_it()
    {
        CaseAssert.Null(Store.GetCapability<IDeferredSyncStore>());
        return Task.CompletedTask;
    }

    private ValueTask<UpdateResult> UpdateDeferredAsync(string version, UploadRecord record) => DeferredSyncStore.UpdateDeferredAsync(Key, version, record, Token);
}

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

    [Case(false, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(true, Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_change_with_a_stale_version_changes_nothing(bool completes)
    {
        UploadInfo stale = await CreateWithContentAsync(Bytes(10));
        UploadInfo current = await UpdateStateAsync(UploadState.Received);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), await ChangeAsync(completes, stale.Version));
        CaseAssert.Equal((current.Version, UploadState.Received), ((await GetAsync()).Version, (await GetAsync()).State));
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case(false, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(true, Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_change_of_a_missing_upload_returns_NotFound(bool completes)
    {
        CaseAssert.Equal(new UpdateResult(ChangeStatus.NotFound, null), await ChangeAsync(completes, "none"));
        await CreateAsync();
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case(false, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(true, Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_change_during_an_append_returns_Busy(bool completes)
    {
        UploadInfo info = await CreateAsync();
        var content = new RecordingContent();
        content.Send(Bytes(5));
        Task<AppendResult> append = StartAppend(0, content);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.Busy, null), await ChangeAsync(completes, info.Version));
        content.Complete();
        CaseAssert.Equal((AppendStatus.Appended, 5L), await GetStatusAsync(append));
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case(false, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(true, Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Deferred_change_back_to_an_earlier_state_throws(bool completes)
    {
        await CreateWithContentAsync(Bytes(10));
        UploadInfo info = await UpdateStateAsync(UploadState.Completed);
        var record = new UploadRecord { State = UploadState.Received };
        await CaseAssert.ThrowsAsync<ArgumentException>(async () => await (completes
            ? DeferredSyncStore.CompleteAsync(Key, info.Version, record, Bytes(10), Token)
            : DeferredSyncStore.UpdateDeferredAsync(Key, info.Version, record, Token)));
        CaseAssert.Equal(info.Version, (await GetAsync()).Version);
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case(0, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(100, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(100_000, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(1024 * 1024, Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Complete_stores_record_and_response_together(int length)
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(1000));
        info = CaseAssert.RequireNotNull((await UpdateDeferredAsync(info.Version, info.Record with { State = UploadState.Received })).Info);
        UploadRecord record = CompletedRecord with { Data = Bytes(50, 2) };
        byte[] response = Bytes(length, 3);
        UpdateResult result = await DeferredSyncStore.CompleteAsync(Key, info.Version, record, response, Token);
        response.AsSpan().Clear();
        CaseAssert.Equal(ChangeStatus.Succeeded, result.Status);
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((current.Version, 1000L), (result.Info!.Version, result.Info.Offset));
        CaseAssert.NotEqual(info.Version, current.Version);
        AssertRecordsEqual(record, current.Record);
        CaseAssert.Equal(Bytes(length, 3), await ReadResponseAsync());
        CaseAssert.Equal(Bytes(1000), await ReadContentAsync());
    }

    [Case(10, 20, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(10, 100_000, Requires = StoreCapabilities.DeferredSyncs)]
    [Case(100_000, 10, Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Complete_replaces_the_previous_response_and_later_updates_keep_it(int earlier, int later)
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        await Store.PutResponseAsync(Key, Bytes(earlier), Token);
        info = CaseAssert.RequireNotNull((await DeferredSyncStore.CompleteAsync(Key, info.Version, CompletedRecord, Bytes(later, 2), Token)).Info);
        CaseAssert.Equal(Bytes(later, 2), await ReadResponseAsync());
        info = CaseAssert.RequireNotNull((await Store.UpdateAsync(Key, info.Version, CompletedRecord, Token)).Info);
        info = CaseAssert.RequireNotNull((await UpdateDeferredAsync(info.Version, CompletedRecord)).Info);
        CaseAssert.Equal(Bytes(later, 2), await ReadResponseAsync());
        CaseAssert.Equal(ChangeStatus.Succeeded, (await DeferredSyncStore.CompleteAsync(Key, info.Version, CompletedRecord, Bytes(earlier), Token)).Status);
        CaseAssert.Equal(Bytes(earlier), await ReadResponseAsync());
        await Store.PutResponseAsync(Key, Bytes(5, 3), Token);
        CaseAssert.Equal(Bytes(5, 3), await ReadResponseAsync());
    }

    [Case(Requires = StoreCapabilities.DeferredSyncs)]
    public async Task Concurrent_completions_of_one_upload_succeed_once()
    {
        for (int round = 0; round < 10; round++)
        {
            var key = new UploadKey("owner", $"completed-{round}");
            UploadInfo info = await CreateWithContentAsync(Bytes(10), key);
            ChangeStatus[] statuses = await RunConcurrentlyAsync(4, async i =>
                (await DeferredSyncStore.CompleteAsync(key, info.Version, CompletedRecord with { Data = new[] { (byte)i } }, Bytes(100, i), Token)).Status);
            CaseAssert.Single(statuses, status => status == ChangeStatus.Succeeded);
            int winner = Array.IndexOf(statuses, ChangeStatus.Succeeded);
            CaseAssert.Equal(new[] { (byte)winner }, (await GetAsync(key)).Record.Data.ToArray());
            CaseAssert.Equal(Bytes(100, winner), (await Store.GetResponseAsync(key, Token))?.ToArray());
        }
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
        CaseAssert.Equal(ChangeStatus.Succeeded, (await DeferredSyncStore.CompleteAsync(Key, info.Version, CompletedRecord, Bytes(20), Token)).Status);
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

    private ValueTask<UpdateResult> ChangeAsync(bool completes, string version) => completes
        ? DeferredSyncStore.CompleteAsync(Key, version, CompletedRecord, Bytes(10), Token)
        : UpdateDeferredAsync(version, CompletedRecord);
}

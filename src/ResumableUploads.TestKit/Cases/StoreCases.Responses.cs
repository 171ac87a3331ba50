using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for completion: the record and the response of the completion handler are stored in one step.</content>
internal sealed partial class StoreCases
{
    [Case(0)]
    [Case(100)]
    [Case(100_000)]
    [Case(1024 * 1024)]
    public async Task Complete_stores_record_and_response_together(int length)
    {
        await CreateWithContentAsync(Bytes(1000));
        UploadInfo info = await UpdateStateAsync(UploadState.Received);
        UploadRecord record = CompletedRecord with { Data = Bytes(50, 2) };
        byte[] response = Bytes(length, 3);
        UpdateResult result = await Store.CompleteAsync(Key, info.Version, record, response, Token);
        response.AsSpan().Clear();
        CaseAssert.Equal(ChangeStatus.Succeeded, result.Status);
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((current.Version, 1000L), (result.Info!.Version, result.Info.Offset));
        CaseAssert.NotEqual(info.Version, current.Version);
        AssertRecordsEqual(record, current.Record);
        AssertRecordsEqual(record, result.Info.Record);
        CaseAssert.Equal(Bytes(length, 3), await ReadResponseAsync());
        CaseAssert.Equal(Bytes(1000), await ReadContentAsync());
    }

    [Case]
    public async Task Law7_Response_with_every_byte_value_round_trips()
    {
        byte[] response = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        await CreateAsync();
        await CompleteAsync(response);
        CaseAssert.Equal(response, await ReadResponseAsync());
    }

    [Case]
    public async Task Upload_without_a_response_returns_null()
    {
        CaseAssert.Null(await ReadResponseAsync());
        await CreateAsync();
        CaseAssert.Null(await ReadResponseAsync());
        await UpdateStateAsync(UploadState.Received);
        CaseAssert.Null(await ReadResponseAsync());
        await UpdateStateAsync(UploadState.Completed);
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case(100)]
    [Case(100_000)]
    public async Task Law9_Complete_with_stale_version_changes_neither_record_nor_response(int length)
    {
        UploadInfo stale = await CreateWithContentAsync(Bytes(10));
        UploadInfo received = await UpdateStateAsync(UploadState.Received);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), await TryCompleteAsync(stale.Version, length));
        CaseAssert.Equal((received.Version, UploadState.Received), ((await GetAsync()).Version, (await GetAsync()).State));
        CaseAssert.Null(await ReadResponseAsync());

        // An upload that is completed by other means must not get the response of the call that failed.
        UploadInfo completed = await UpdateStateAsync(UploadState.Completed);
        CaseAssert.Null(await ReadResponseAsync());
        CaseAssert.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), await TryCompleteAsync(received.Version, length));
        CaseAssert.Equal(completed.Version, (await GetAsync()).Version);
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case]
    public async Task Law9_Complete_with_version_from_before_an_append_returns_VersionMismatch()
    {
        UploadInfo stale = await CreateAsync();
        await AppendAsync(0, Bytes(10));
        CaseAssert.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), await TryCompleteAsync(stale.Version));
        CaseAssert.Equal((AppendStatus.Appended, 15L), await AppendStatusAsync(10, Bytes(5)));
    }

    [Case]
    public async Task Complete_of_missing_upload_returns_NotFound()
    {
        CaseAssert.Equal(new UpdateResult(ChangeStatus.NotFound, null), await TryCompleteAsync("none"));
        CaseAssert.Null(await Store.GetAsync(Key, Token));
        await CreateAsync();
        await UpdateStateAsync(UploadState.Completed);
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case]
    public async Task Law9_Complete_during_an_append_returns_Busy()
    {
        UploadInfo info = await CreateAsync();
        var content = new RecordingContent();
        content.Send(Bytes(5));
        Task<AppendResult> append = StartAppend(0, content);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.Busy, null), await TryCompleteAsync(info.Version));
        content.Complete();
        CaseAssert.Equal((AppendStatus.Appended, 5L), await GetStatusAsync(append));
        await UpdateStateAsync(UploadState.Completed);
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case(100)]
    [Case(100_000)]
    public async Task Law9_Concurrent_completions_succeed_once_with_their_response(int length)
    {
        for (int round = 0; round < 10; round++)
        {
            var key = new UploadKey("owner", $"completed-{round}");
            await RaceToCompleteAsync(key, length, Store);
        }
    }

    [Case(100, Requires = StoreCapabilities.SharedStorage)]
    [Case(100_000, Requires = StoreCapabilities.SharedStorage)]
    public async Task Law9_Concurrent_completions_by_two_stores_succeed_at_most_once(int length)
    {
        IUploadStore other = await OpenStoreAsync();
        for (int round = 0; round < 10; round++)
        {
            var key = new UploadKey("owner", $"completed-{round}");
            await RaceToCompleteAsync(key, length, other);
        }

        await DisposeStoreAsync(other);
    }

    [Case(UploadState.Receiving)]
    [Case(UploadState.Received)]
    public async Task Complete_with_a_record_in_another_state_throws(UploadState state)
    {
        UploadInfo info = await CreateAsync();
        await CaseAssert.ThrowsAsync<ArgumentException>(
            async () => await Store.CompleteAsync(Key, info.Version, new UploadRecord { State = state }, Bytes(10), Token));
        CaseAssert.Equal((info.Version, UploadState.Receiving), ((await GetAsync()).Version, (await GetAsync()).State));
    }

    [Case]
    public async Task Complete_with_a_response_above_1_MiB_throws()
    {
        UploadInfo info = await CreateAsync();
        await CaseAssert.ThrowsAsync<ArgumentException>(
            async () => await Store.CompleteAsync(Key, info.Version, CompletedRecord, new byte[(1024 * 1024) + 1], Token));
        CaseAssert.Equal(info.Version, (await GetAsync()).Version);
    }

    [Case(10, 20)]
    [Case(10, 100_000)]
    [Case(100_000, 10)]
    [Case(100_000, 200_000)]
    public async Task Complete_replaces_the_previous_response_and_later_updates_keep_it(int earlier, int later)
    {
        await CreateWithContentAsync(Bytes(10));
        await CompleteAsync(Bytes(earlier));
        await CompleteAsync(Bytes(later, 2));
        CaseAssert.Equal(Bytes(later, 2), await ReadResponseAsync());
        await UpdateStateAsync(UploadState.Completed);
        CaseAssert.Equal(Bytes(later, 2), await ReadResponseAsync());
        await CompleteAsync(Bytes(earlier));
        CaseAssert.Equal(Bytes(earlier), await ReadResponseAsync());
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case(10)]
    [Case(100_000)]
    public async Task Response_is_deleted_with_its_upload(int length)
    {
        await CreateAsync();
        await CompleteAsync(Bytes(length));
        await Store.DeleteAsync(Key, null, Token);
        CaseAssert.Null(await ReadResponseAsync());
        await CreateAsync();
        CaseAssert.Null(await ReadResponseAsync());
        await UpdateStateAsync(UploadState.Completed);
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case(10, Requires = StoreCapabilities.SharedStorage)]
    [Case(1024 * 1024, Requires = StoreCapabilities.SharedStorage)]
    public async Task Law6_Completed_record_and_response_survive_reopening_the_store(int length)
    {
        await CreateWithContentAsync(Bytes(10));
        UploadInfo completed = await CompleteAsync(Bytes(length));
        await DisposeStoreAsync(_store);
        _store = await OpenStoreAsync();
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((completed.Version, UploadState.Completed), (current.Version, current.State));
        CaseAssert.Equal(Bytes(length), await ReadResponseAsync());
    }

    /// <summary>Completes an upload in its current version.</summary>
    private async Task<UploadInfo> CompleteAsync(byte[] response, UploadKey? key = null)
    {
        UploadInfo info = await GetAsync(key);
        UpdateResult result = await Store.CompleteAsync(info.Key, info.Version, info.Record with { State = UploadState.Completed }, response, Token);
        CaseAssert.Equal(ChangeStatus.Succeeded, result.Status);
        return CaseAssert.RequireNotNull(result.Info);
    }

    private ValueTask<UpdateResult> TryCompleteAsync(string version, int length = 10) => Store.CompleteAsync(Key, version, CompletedRecord, Bytes(length), Token);

    private async Task RaceToCompleteAsync(UploadKey key, int length, IUploadStore other)
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(10), key);
        ChangeStatus[] statuses = await RunConcurrentlyAsync(4, async i =>
        {
            IUploadStore store = i % 2 == 0 ? Store : other;
            return (await store.CompleteAsync(key, info.Version, CompletedRecord with { Data = new[] { (byte)i } }, Bytes(length, i), Token)).Status;
        });

        // A store may reject all of them. The response must not be that of a call that failed.
        int winner = Array.IndexOf(statuses, ChangeStatus.Succeeded);
        CaseAssert.InRange(statuses.Count(static status => status == ChangeStatus.Succeeded), 0, 1);
        UploadInfo current = await GetAsync(key);
        CaseAssert.Equal(winner < 0 ? UploadState.Receiving : UploadState.Completed, current.State);
        foreach (IUploadStore store in (IUploadStore[])[Store, other])
        {
            byte[]? response = (await store.GetResponseAsync(key, Token))?.ToArray();
            CaseAssert.Equal(winner < 0, response is null);
            if (winner >= 0)
            {
                CaseAssert.Equal(new[] { (byte)winner }, current.Record.Data.ToArray());
                CaseAssert.Equal(Bytes(length, winner), response);
            }
        }
    }

    private async Task<byte[]?> ReadResponseAsync() => (await Store.GetResponseAsync(Key, Token))?.ToArray();
}

using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for upload records: round trips, updates, versions and states.</content>
internal sealed partial class StoreCases
{
    [Case]
    public Task Law7_Empty_data_round_trips() => AssertDataRoundTripsAsync([]);

    [Case]
    public Task Law7_Data_with_every_byte_value_round_trips() => AssertDataRoundTripsAsync([.. Enumerable.Range(0, 512).Select(i => (byte)i)]);

    [Case]
    public Task Law7_Data_of_maximum_length_round_trips() => AssertDataRoundTripsAsync(Bytes(UploadRecord.MaxDataLength));

    [Case]
    public async Task Law7_Length_and_expirations_round_trip()
    {
        var record = new UploadRecord
        {
            Length = long.MaxValue,
            SlidingExpiration = TimeSpan.FromTicks(TimeSpan.TicksPerDay + 1),
            AbsoluteExpiration = new DateTimeOffset(2031, 5, 6, 7, 8, 9, TimeSpan.FromHours(2)).AddTicks(1),
        };
        await CreateAsync(record: record);
        AssertRecordsEqual(record, (await GetAsync()).Record);
        await AppendAsync(0, Bytes(10));
        AssertRecordsEqual(record, (await GetAsync()).Record);
    }

    [Case]
    public async Task Law7_Unset_record_fields_stay_unset()
    {
        await CreateAsync();
        UploadInfo info = await GetAsync();
        AssertRecordsEqual(new UploadRecord(), info.Record);
        CaseAssert.Null(info.Expires);
    }

    [Case]
    public async Task Law7_Get_of_upload_with_length_0_returns_length_0()
    {
        await CreateAsync(record: new UploadRecord { Length = 0 });
        CaseAssert.Equal(0, (await GetAsync()).Length);
    }

    [Case]
    public async Task Law7_Create_copies_the_data()
    {
        byte[] data = Bytes(100);
        await CreateAsync(record: new UploadRecord { Data = data });
        data.AsSpan().Clear();
        CaseAssert.Equal(Bytes(100), (await GetAsync()).Record.Data.ToArray());
    }

    [Case]
    public async Task Update_replaces_the_record_and_keeps_the_content()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        var record = new UploadRecord { Length = 99, SlidingExpiration = TimeSpan.FromHours(1), Data = Bytes(77) };
        UpdateResult result = await Store.UpdateAsync(Key, before.Version, record, Token);

        CaseAssert.Equal(ChangeStatus.Succeeded, result.Status);
        UploadInfo current = await GetAsync();
        AssertRecordsEqual(record, current.Record);
        AssertRecordsEqual(record, result.Info!.Record);
        CaseAssert.Equal(current.Version, result.Info.Version);
        CaseAssert.Equal((10L, 10L), (current.Offset, result.Info.Offset));
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case]
    public async Task Update_of_deleted_upload_returns_NotFound()
    {
        UploadInfo deleted = await CreateAsync();
        await Store.DeleteAsync(Key, null, Token);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.NotFound, null), await Store.UpdateAsync(Key, deleted.Version, new UploadRecord(), Token));
        CaseAssert.Null(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Law9_Update_after_an_append_returns_VersionMismatch()
    {
        UploadInfo created = await CreateAsync();
        await AppendAsync(0, Bytes(10));
        UpdateResult result = await Store.UpdateAsync(Key, created.Version, new UploadRecord { Data = new byte[] { 9 } }, Token);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), result);
        CaseAssert.Equal(0, (await GetAsync()).Record.Data.Length);
    }

    [Case]
    public async Task Law9_Update_after_an_update_returns_VersionMismatch()
    {
        UploadInfo created = await CreateAsync();
        await Store.UpdateAsync(Key, created.Version, new UploadRecord { Data = new byte[] { 1 } }, Token);
        UpdateResult result = await Store.UpdateAsync(Key, created.Version, new UploadRecord { Data = new byte[] { 2 } }, Token);
        CaseAssert.Equal(ChangeStatus.VersionMismatch, result.Status);
        CaseAssert.Equal(new byte[] { 1 }, (await GetAsync()).Record.Data.ToArray());
    }

    [Case]
    public async Task Law9_Concurrent_updates_with_same_version_succeed_at_most_once()
    {
        UploadInfo info = await CreateAsync();
        for (int round = 0; round < 10; round++)
        {
            string version = info.Version;
            UpdateResult[] results = await RunConcurrentlyAsync(8, async i =>
                await Store.UpdateAsync(Key, version, new UploadRecord { Data = new[] { (byte)i } }, Token));

            UpdateResult[] winners = [.. results.Where(result => result.Status == ChangeStatus.Succeeded)];
            // A store may reject all of them.
            CaseAssert.InRange(winners.Length, 0, 1);
            info = await GetAsync();
            CaseAssert.Equal(winners.Length == 0 ? version : winners[0].Info!.Version, info.Version);
        }
    }

    [Case]
    public async Task Law9_Update_during_an_append_returns_Busy_without_waiting()
    {
        UploadInfo created = await CreateAsync();
        var appendContent = new RecordingContent();
        Task<AppendResult> append = StartAppend(0, appendContent);
        await appendContent.FirstReadTask.WaitAsync(CaseTimeout, Token);

        UpdateResult result = await Store.UpdateAsync(Key, created.Version, created.Record with { State = UploadState.Received }, Token)
            .AsTask().WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.Busy, null), result);

        appendContent.Send(Bytes(10));
        appendContent.Complete();
        AppendResult appended = await append.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal((AppendStatus.Appended, 10L), (appended.Status, appended.Offset));
        CaseAssert.Equal(UploadState.Receiving, (await GetAsync()).State);
    }

    [Case(UploadState.Received)]
    [Case(UploadState.Completed)]
    public async Task Law9_Append_to_received_or_completed_upload_returns_NotReceiving(UploadState state)
    {
        await CreateWithContentAsync(Bytes(10));
        UploadInfo updated = await UpdateStateAsync(state);
        CaseAssert.Equal(10, updated.Offset);

        foreach (byte[] bytes in new[] { Bytes(5), [] })
        {
            RecordingContent content = RecordingContent.FromBytes(bytes);
            AppendResult result = await StartAppend(10, content).WaitAsync(CaseTimeout, Token);
            CaseAssert.Equal(new AppendResult(AppendStatus.NotReceiving, 10, updated.Version), result);
            CaseAssert.Equal(0, content.ReadCount);
        }

        CaseAssert.Equal(10, (await GetAsync()).Offset);
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case]
    public async Task Law2_State_changes_keep_the_offset()
    {
        await CreateWithContentAsync(Bytes(10));
        CaseAssert.Equal(10, (await UpdateStateAsync(UploadState.Received)).Offset);
        CaseAssert.Equal(10, (await UpdateStateAsync(UploadState.Completed)).Offset);
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((UploadState.Completed, 10L), (current.State, current.Offset));
    }

    [Case(UploadState.Received, UploadState.Receiving)]
    [Case(UploadState.Completed, UploadState.Received)]
    [Case(UploadState.Completed, UploadState.Receiving)]
    public async Task Update_to_an_earlier_state_throws(UploadState from, UploadState to)
    {
        await CreateWithContentAsync(Bytes(10));
        UploadInfo info = await UpdateStateAsync(from);
        await CaseAssert.ThrowsAsync<ArgumentException>(async () =>
            await Store.UpdateAsync(Key, info.Version, info.Record with { State = to }, Token));
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((from, info.Version), (current.State, current.Version));
    }

    private static void AssertRecordsEqual(UploadRecord expected, UploadRecord actual)
    {
        CaseAssert.Equal(expected.State, actual.State);
        CaseAssert.Equal(expected.Length, actual.Length);
        CaseAssert.Equal(expected.SlidingExpiration, actual.SlidingExpiration);
        CaseAssert.Equal(expected.AbsoluteExpiration, actual.AbsoluteExpiration);
        CaseAssert.Equal(expected.Data.ToArray(), actual.Data.ToArray());
    }

    private async Task AssertDataRoundTripsAsync(byte[] data)
    {
        UploadInfo created = await CreateAsync(record: new UploadRecord { Data = data });
        CaseAssert.Equal(data, created.Record.Data.ToArray());
        CaseAssert.Equal(data, (await GetAsync()).Record.Data.ToArray());
        await AppendAsync(0, Bytes(10));
        CaseAssert.Equal(data, (await GetAsync()).Record.Data.ToArray());
        await UpdateStateAsync(UploadState.Received);
        CaseAssert.Equal(data, (await GetAsync()).Record.Data.ToArray());
    }
}

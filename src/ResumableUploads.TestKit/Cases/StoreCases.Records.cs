using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public Task Law7_no_data_comes_back_as_no_data() => DataComesBackAsync([]);

    [Case]
    public Task Law7_data_of_every_byte_value_comes_back() => DataComesBackAsync([.. Enumerable.Range(0, 512).Select(i => (byte)i)]);

    [Case]
    public Task Law7_data_of_the_greatest_length_comes_back() => DataComesBackAsync(Bytes(UploadRecord.MaxDataLength));

    [Case]
    public async Task Law7_the_other_fields_of_the_record_come_back()
    {
        var record = new UploadRecord
        {
            Length = long.MaxValue,
            SlidingExpiration = TimeSpan.FromTicks(TimeSpan.TicksPerDay + 1),
            AbsoluteExpiration = new DateTimeOffset(2031, 5, 6, 7, 8, 9, TimeSpan.FromHours(2)).AddTicks(1),
        };
        await CreateAsync(record: record);
        CheckSameFields(record, (await GetAsync()).Record);
        await AppendAsync(0, Bytes(10));
        CheckSameFields(record, (await GetAsync()).Record);
    }

    [Case]
    public async Task Law7_fields_that_are_not_set_come_back_as_not_set()
    {
        await CreateAsync();
        UploadInfo info = await GetAsync();
        CheckSameFields(new UploadRecord(), info.Record);
        Check.Null(info.Expires);
    }

    [Case]
    public async Task Law7_a_length_of_0_is_not_an_unknown_length()
    {
        await CreateAsync(record: new UploadRecord { Length = 0 });
        Check.Equal(0, (await GetAsync()).Length);
    }

    [Case]
    public async Task Law7_data_is_what_it_was_at_the_call_also_when_the_caller_uses_the_memory_again()
    {
        byte[] data = Bytes(100);
        await CreateAsync(record: new UploadRecord { Data = data });
        data.AsSpan().Clear();
        Check.Equal(Bytes(100), (await GetAsync()).Record.Data.ToArray());
    }

    [Case]
    public async Task An_update_replaces_the_record_and_keeps_the_content()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        var record = new UploadRecord { Length = 99, SlidingExpiration = TimeSpan.FromHours(1), Data = Bytes(77) };
        UpdateResult result = await Store.UpdateAsync(Key, before.Version, record, Token);

        Check.Equal(ChangeStatus.Done, result.Status);
        UploadInfo now = await GetAsync();
        CheckSameFields(record, now.Record);
        CheckSameFields(record, result.Info!.Record);
        Check.Equal(now.Version, result.Info.Version);
        Check.Equal((10L, 10L), (now.Offset, result.Info.Offset));
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case]
    public async Task An_update_of_what_is_not_there_answers_not_found()
    {
        UploadInfo gone = await CreateAsync();
        await Store.DeleteAsync(Key, null, Token);
        Check.Equal(new UpdateResult(ChangeStatus.NotFound, null), await Store.UpdateAsync(Key, gone.Version, new UploadRecord(), Token));
        Check.Null(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Law9_an_update_is_refused_when_bytes_were_appended_since_the_read()
    {
        UploadInfo read = await CreateAsync();
        await AppendAsync(0, Bytes(10));
        UpdateResult result = await Store.UpdateAsync(Key, read.Version, new UploadRecord { Data = new byte[] { 9 } }, Token);
        Check.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), result);
        Check.Equal(0, (await GetAsync()).Record.Data.Length);
    }

    [Case]
    public async Task Law9_an_update_is_refused_when_the_record_was_updated_since_the_read()
    {
        UploadInfo read = await CreateAsync();
        await Store.UpdateAsync(Key, read.Version, new UploadRecord { Data = new byte[] { 1 } }, Token);
        UpdateResult result = await Store.UpdateAsync(Key, read.Version, new UploadRecord { Data = new byte[] { 2 } }, Token);
        Check.Equal(ChangeStatus.VersionMismatch, result.Status);
        Check.Equal(new byte[] { 1 }, (await GetAsync()).Record.Data.ToArray());
    }

    [Case]
    public async Task Law9_of_many_updates_with_one_version_at_most_one_is_done()
    {
        UploadInfo info = await CreateAsync();
        for (int round = 0; round < 10; round++)
        {
            string version = info.Version;
            UpdateResult[] results = await AtOnceAsync(8, async i =>
                await Store.UpdateAsync(Key, version, new UploadRecord { Data = new[] { (byte)i } }, Token));

            UpdateResult[] winners = [.. results.Where(result => result.Status == ChangeStatus.Done)];
            Check.InRange(winners.Length, 0, 1);
            info = await GetAsync();
            Check.Equal(winners.Length == 0 ? version : winners[0].Info!.Version, info.Version);
        }
    }

    [Case]
    public async Task Law9_an_update_beside_a_running_append_is_busy_at_once()
    {
        UploadInfo read = await CreateAsync();
        var running = new PipeContent();
        Task<AppendResult> append = StartAppend(0, running);
        await running.FirstRead.WaitAsync(Patience, Token);

        UpdateResult result = await Store.UpdateAsync(Key, read.Version, read.Record with { State = UploadState.Received }, Token)
            .AsTask().WaitAsync(Patience, Token);
        Check.Equal(new UpdateResult(ChangeStatus.Busy, null), result);

        running.Send(Bytes(10));
        running.End();
        AppendResult appended = await append.WaitAsync(Patience, Token);
        Check.Equal((AppendStatus.Appended, 10L), (appended.Status, appended.Offset));
        Check.Equal(UploadState.Receiving, (await GetAsync()).State);
    }

    [Case(UploadState.Received)]
    [Case(UploadState.Completed)]
    public async Task Law9_no_append_succeeds_once_the_record_has_left_receiving(UploadState state)
    {
        await CreateWithAsync(Bytes(10));
        UploadInfo left = await UpdateStateAsync(state);
        Check.Equal(10, left.Offset);

        foreach (byte[] bytes in new[] { Bytes(5), [] })
        {
            PipeContent content = PipeContent.Of(bytes);
            AppendResult result = await StartAppend(10, content).WaitAsync(Patience, Token);
            Check.Equal(new AppendResult(AppendStatus.NotReceiving, 10, left.Version), result);
            Check.Equal(0, content.Reads);
        }

        Check.Equal(10, (await GetAsync()).Offset);
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case]
    public async Task Law2_the_offset_stays_frozen_through_the_states_after_receiving()
    {
        await CreateWithAsync(Bytes(10));
        Check.Equal(10, (await UpdateStateAsync(UploadState.Received)).Offset);
        Check.Equal(10, (await UpdateStateAsync(UploadState.Completed)).Offset);
        UploadInfo now = await GetAsync();
        Check.Equal((UploadState.Completed, 10L), (now.State, now.Offset));
    }

    [Case(UploadState.Received, UploadState.Receiving)]
    [Case(UploadState.Completed, UploadState.Received)]
    [Case(UploadState.Completed, UploadState.Receiving)]
    public async Task A_state_never_goes_back(UploadState from, UploadState to)
    {
        await CreateWithAsync(Bytes(10));
        UploadInfo info = await UpdateStateAsync(from);
        await Check.ThrowsAsync<ArgumentException>(async () =>
            await Store.UpdateAsync(Key, info.Version, info.Record with { State = to }, Token));
        UploadInfo now = await GetAsync();
        Check.Equal((from, info.Version), (now.State, now.Version));
    }

    private static void CheckSameFields(UploadRecord expected, UploadRecord actual)
    {
        Check.Equal(expected.State, actual.State);
        Check.Equal(expected.Length, actual.Length);
        Check.Equal(expected.SlidingExpiration, actual.SlidingExpiration);
        Check.Equal(expected.AbsoluteExpiration, actual.AbsoluteExpiration);
        Check.Equal(expected.Data.ToArray(), actual.Data.ToArray());
    }

    private async Task DataComesBackAsync(byte[] data)
    {
        UploadInfo made = await CreateAsync(record: new UploadRecord { Data = data });
        Check.Equal(data, made.Record.Data.ToArray());
        Check.Equal(data, (await GetAsync()).Record.Data.ToArray());
        await AppendAsync(0, Bytes(10));
        Check.Equal(data, (await GetAsync()).Record.Data.ToArray());
        await UpdateStateAsync(UploadState.Received);
        Check.Equal(data, (await GetAsync()).Record.Data.ToArray());
    }
}

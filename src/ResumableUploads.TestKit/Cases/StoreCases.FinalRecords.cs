using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for records that an append may write together with its last bytes. A store that ignores them passes too.</content>
internal sealed partial class StoreCases
{
    private static readonly UploadRecord Final = new() { State = UploadState.Received, Length = 100, SlidingExpiration = TimeSpan.FromHours(3), Data = Bytes(70, 3) };

    [Case(false, UploadState.Received)]
    [Case(true, UploadState.Received)]
    [Case(false, UploadState.Completed)]
    public async Task Append_writes_the_final_record_or_leaves_the_record(bool isDeferrable, UploadState state)
    {
        UploadInfo created = await CreateAsync(record: new UploadRecord { Length = 100, Data = Bytes(5) });
        await AppendAsync(0, Bytes(40, 1));
        UploadRecord record = Final with { State = state };
        var requested = new List<long>();
        RecordingContent content = RecordingContent.FromBytes(Bytes(60, 2), Offer(requested, record, isDeferrable));
        AppendResult result = await StartAppend(40, content).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal((AppendStatus.Appended, 100L), (result.Status, result.Offset));
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((100L, result.Version), (current.Offset, current.Version));
        CaseAssert.Equal(Concatenate(Bytes(40, 1), Bytes(60, 2)), await ReadContentAsync());
        if (result.Updated is not { } updated)
        {
            AssertRecordsEqual(created.Record, current.Record);
            return;
        }

        CaseAssert.Equal([100L], requested);
        AssertRecordsEqual(record, updated.Record);
        AssertRecordsEqual(record, current.Record);
        CaseAssert.Equal((current.Key, current.Version, current.Offset, current.LastModified), (updated.Key, updated.Version, updated.Offset, updated.LastModified));
        CaseAssert.Equal(new AppendResult(AppendStatus.NotReceiving, 100, current.Version), await AppendAsync(100, [1]));
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, created.Version, record, Token)).Status);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.UpdateAsync(Key, updated.Version, record with { State = UploadState.Completed }, Token)).Status);
    }

    [Case]
    public async Task Append_without_final_record_leaves_the_record()
    {
        UploadInfo created = await CreateAsync(record: new UploadRecord { Length = 100, Data = Bytes(5) });
        var requested = new List<long>();
        AppendResult result = await StartAppend(0, RecordingContent.FromBytes(Bytes(40), Offer(requested, record: null))).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal((AppendStatus.Appended, 40L), (result.Status, result.Offset));
        CaseAssert.Null(result.Updated);
        CaseAssert.All(requested, offset => CaseAssert.Equal(40, offset));
        AssertRecordsEqual(created.Record, (await GetAsync()).Record);
    }

    [Case]
    public async Task Refused_append_does_not_request_the_final_record()
    {
        await CreateWithContentAsync(Bytes(10));
        var requested = new List<long>();
        AppendResult result = await StartAppend(9, RecordingContent.FromBytes([1], Offer(requested, Final))).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal(AppendStatus.OffsetMismatch, result.Status);
        CaseAssert.Empty(requested);
        CaseAssert.Equal(UploadState.Receiving, (await GetAsync()).State);
    }

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Staged_append_does_not_request_the_final_record()
    {
        await CreateAsync();
        var requested = new List<long>();
        RecordingContent content = RecordingContent.FromBytes(Bytes(100), Offer(requested, Final));
        AppendResult result = await StartAppend(0, content, mode: AppendMode.AllOrNothing).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal((AppendStatus.Appended, 100L), (result.Status, result.Offset));
        CaseAssert.Empty(requested);
        CaseAssert.Equal(UploadState.Receiving, (await GetAsync()).State);
    }

    [Case]
    public async Task Final_record_is_not_written_to_a_deleted_upload()
    {
        await CreateAsync();
        var content = new RecordingContent { FinalRecordFactory = Offer([], Final) };
        content.Send(Bytes(50));
        Task<AppendResult> append = StartAppend(0, content);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, null, Token)).Status);
        UploadInfo successor = await CreateAsync();

        content.Send(Bytes(50));
        content.Complete();
        CaseAssert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append.WaitAsync(CaseTimeout, Token));
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((successor.Version, 0L, UploadState.Receiving), (current.Version, current.Offset, current.State));
    }

    private static Func<long, FinalRecord?> Offer(List<long> requested, UploadRecord? record, bool isDeferrable = false) => offset =>
    {
        requested.Add(offset);
        return record is null ? null : new FinalRecord(record, isDeferrable);
    };
}

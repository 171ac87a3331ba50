using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    private static readonly int[] StagedSizes = [100, 100, 5000, 1, 70_000, 30, 4096, 60_000, 1, 200_000, 7];

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Committed_staged_append_adds_all_bytes()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        RecordingContent content = RecordingContent.FromBytes(Bytes(100_000, 2));
        AppendResult result = await StartAppend(10, content, mode: AppendMode.AllOrNothing).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal((AppendStatus.Appended, 100_010L), (result.Status, result.Offset));
        CaseAssert.NotEqual(before.Version, result.Version);
        CaseAssert.Equal(result.Version, (await GetAsync()).Version);
        CaseAssert.Equal(1, content.CommitQueryCount);
        CaseAssert.True(content.WasReadToEnd);
        CaseAssert.False(content.WasCompletedByStore);
        CaseAssert.Empty(content.ReportedOffsets);
        CaseAssert.Equal(Concatenate(Bytes(10), Bytes(100_000, 2)), await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Rejected_staged_append_adds_nothing()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        AppendResult result = await StartAppend(10, CreateRejected(Bytes(100_000, 2)), mode: AppendMode.AllOrNothing).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal(new AppendResult(AppendStatus.Discarded, 10, before.Version), result);
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((10L, before.Version), (current.Offset, current.Version));
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case(AppendMode.KeepPartial, Requires = StoreCapabilities.StagedAppends)]
    [Case(AppendMode.AllOrNothing, Requires = StoreCapabilities.StagedAppends)]
    public async Task Append_after_a_discarded_append_succeeds(AppendMode mode)
    {
        await CreateWithContentAsync(Bytes(10));
        await StartAppend(10, CreateRejected(Bytes(5000, 2)), mode: AppendMode.AllOrNothing).WaitAsync(CaseTimeout, Token);
        AppendResult result = await StartAppend(10, RecordingContent.FromBytes(Bytes(3000, 3)), mode: mode).WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(3010, result.Offset);
        CaseAssert.Equal(Concatenate(Bytes(10), Bytes(3000, 3)), await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Staged_bytes_do_not_count_before_the_commit()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var response = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new RecordingContent
        {
            CommitDecision = () =>
            {
                asked.SetResult();
                return new ValueTask<bool>(response.Task);
            },
        };
        content.Send(Bytes(5000, 2));
        content.Complete();
        Task<AppendResult> append = StartAppend(10, content, mode: AppendMode.AllOrNothing);
        await asked.Task.WaitAsync(CaseTimeout, Token);

        UploadInfo meanwhile = await GetAsync();
        CaseAssert.Equal((10L, before.Version), (meanwhile.Offset, meanwhile.Version));
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
        CaseAssert.Equal(ChangeStatus.Busy, (await Store.UpdateAsync(Key, before.Version, before.Record, Token)).Status);

        response.SetResult(true);
        CaseAssert.Equal(5010, (await append.WaitAsync(CaseTimeout, Token)).Offset);
        CaseAssert.Equal(Concatenate(Bytes(10), Bytes(5000, 2)), await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Truncated_staged_append_calls_the_commit_decision()
    {
        await CreateAsync(record: new UploadRecord { Length = 1_000_000 });
        var content = new RecordingContent { DeclaredLength = 1_000_000, CommitDecision = () => ValueTask.FromResult(false) };
        content.Send(Bytes(5000));
        content.Complete();
        AppendResult result = await StartAppend(0, content, mode: AppendMode.AllOrNothing).WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal((AppendStatus.Discarded, 0L, 1), (result.Status, result.Offset, content.CommitQueryCount));
        CaseAssert.Empty(await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Empty_staged_append_adds_nothing()
    {
        await CreateWithContentAsync(Bytes(10));
        AppendResult result = await StartAppend(10, RecordingContent.FromBytes([]), mode: AppendMode.AllOrNothing).WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal((AppendStatus.Appended, 10L), (result.Status, result.Offset));
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Staged_append_that_is_declared_empty_calls_the_commit_decision()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        foreach ((bool isCommitted, AppendStatus status) in ((bool, AppendStatus)[])[(true, AppendStatus.Appended), (false, AppendStatus.Discarded)])
        {
            var content = new RecordingContent { DeclaredLength = 0, CommitDecision = () => ValueTask.FromResult(isCommitted) };
            content.Complete();
            AppendResult result = await StartAppend(10, content, mode: AppendMode.AllOrNothing).WaitAsync(CaseTimeout, Token);
            CaseAssert.Equal((status, 10L, 1), (result.Status, result.Offset, content.CommitQueryCount));
        }

        CaseAssert.Equal(before.Offset, (await GetAsync()).Offset);
    }

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Law5_Rejected_staged_append_does_not_read_the_content()
    {
        await CreateWithContentAsync(Bytes(10));
        RecordingContent content = RecordingContent.FromBytes(Bytes(5));
        AppendResult result = await StartAppend(9, content, mode: AppendMode.AllOrNothing).WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal((AppendStatus.OffsetMismatch, 10L), (result.Status, result.Offset));
        CaseAssert.Equal((0, 0), (content.ReadCount, content.CommitQueryCount));
    }

    [Case(Requires = StoreCapabilities.StagedAppends)]
    public async Task Law3_Staged_and_plain_appends_produce_the_sent_content()
    {
        byte[] sent = Bytes(400_000);
        await CreateAsync();
        int offset = 0;
        foreach ((int index, int size) in StagedSizes.Index())
        {
            AppendMode mode = index % 3 == 2 ? AppendMode.KeepPartial : AppendMode.AllOrNothing;
            RecordingContent content = RecordingContent.FromBytes(sent.AsSpan(offset, size));
            offset += size;
            CaseAssert.Equal(offset, (await StartAppend(offset - size, content, mode: mode).WaitAsync(CaseTimeout, Token)).Offset);
        }

        CaseAssert.Equal(sent[..offset], await ReadContentAsync());
    }

    [Case(Excludes = StoreCapabilities.StagedAppends)]
    public Task Store_without_staged_appends_capability_does_not_have_it()
    {
        CaseAssert.Null(Store.GetCapability<IStagedAppendStore>());
        return Task.CompletedTask;
    }

    private static RecordingContent CreateRejected(byte[] bytes)
    {
        var content = new RecordingContent { CommitDecision = () => ValueTask.FromResult(false) };
        content.Send(bytes);
        content.Complete();
        return content;
    }
}

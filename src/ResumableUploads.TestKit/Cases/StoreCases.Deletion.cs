using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for deletion: conditional deletes and running appends.</content>
internal sealed partial class StoreCases
{
    [Case]
    public async Task Delete_without_version_removes_the_upload()
    {
        await CreateWithContentAsync(Bytes(10));
        UploadInfo info = await CompleteAsync(Bytes(10));
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, null, Token)).Status);

        CaseAssert.Null(await Store.GetAsync(Key, Token));
        CaseAssert.Null(await Store.OpenReadAsync(Key, Token));
        CaseAssert.Null(await Store.GetResponseAsync(Key, Token));
        CaseAssert.Equal(AppendStatus.NotFound, (await AppendAsync(10, Bytes(1))).Status);
        CaseAssert.Equal(ChangeStatus.NotFound, (await Store.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
        CaseAssert.Empty(await ListAsync());
    }

    [Case(UploadState.Received)]
    [Case(UploadState.Completed)]
    public async Task Delete_removes_received_or_completed_upload(UploadState state)
    {
        await CreateWithContentAsync(Bytes(10));
        UploadInfo info = await UpdateStateAsync(state);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, info.Version, Token)).Status);
        CaseAssert.Null(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Delete_of_missing_upload_returns_NotFound()
    {
        UploadInfo info = await CreateAsync();
        await Store.DeleteAsync(Key, null, Token);
        CaseAssert.Equal(ChangeStatus.NotFound, (await Store.DeleteAsync(Key, null, Token)).Status);
        CaseAssert.Equal(ChangeStatus.NotFound, (await Store.DeleteAsync(Key, info.Version, Token)).Status);
    }

    [Case]
    public async Task Create_after_delete_starts_empty()
    {
        await CreateWithContentAsync(Bytes(100_000));
        await Store.DeleteAsync(Key, null, Token);
        CaseAssert.Equal(0, (await CreateAsync()).Offset);
        CaseAssert.Equal(0, (await GetAsync()).Offset);
        CaseAssert.Empty(await ReadContentAsync());
    }

    [Case]
    public async Task Law9_Conditional_delete_after_an_append_returns_VersionMismatch()
    {
        UploadInfo created = await CreateAsync();
        await AppendAsync(0, Bytes(10));
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, created.Version, Token)).Status);
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case]
    public async Task Law9_Conditional_delete_after_an_update_returns_VersionMismatch()
    {
        UploadInfo created = await CreateAsync();
        await Store.UpdateAsync(Key, created.Version, new UploadRecord(), Token);
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, created.Version, Token)).Status);
        CaseAssert.NotNull(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Law9_Conditional_delete_during_an_append_returns_Busy_without_waiting()
    {
        UploadInfo created = await CreateAsync();
        var appendContent = new RecordingContent();
        Task<AppendResult> append = StartAppend(0, appendContent);
        await appendContent.FirstReadTask.WaitAsync(CaseTimeout, Token);

        DeleteResult result = await Store.DeleteAsync(Key, created.Version, Token).AsTask().WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(ChangeStatus.Busy, result.Status);

        appendContent.Send(Bytes(10));
        appendContent.Complete();
        CaseAssert.Equal(AppendStatus.Appended, (await append.WaitAsync(CaseTimeout, Token)).Status);
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case(AppendMode.KeepPartial)]
    [Case(AppendMode.AllOrNothing, Requires = StoreCapabilities.StagedAppends)]
    public async Task Law9_Running_append_returns_NotFound_after_delete(AppendMode mode)
    {
        await CreateWithContentAsync(Bytes(10));
        var appendContent = new RecordingContent();
        appendContent.Send(Bytes(5000, 2));
        Task<AppendResult> append = StartAppend(10, appendContent, mode: mode);
        await appendContent.FirstReadTask.WaitAsync(CaseTimeout, Token);

        DeleteResult deletion = await Store.DeleteAsync(Key, null, Token).AsTask().WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(ChangeStatus.Succeeded, deletion.Status);
        CaseAssert.Null(await Store.GetAsync(Key, Token));

        appendContent.Send(Bytes(5000, 3));
        appendContent.Complete();
        CaseAssert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append.WaitAsync(CaseTimeout, Token));
        CaseAssert.Null(await Store.GetAsync(Key, Token));
    }

    [Case(AppendMode.KeepPartial)]
    [Case(AppendMode.AllOrNothing, Requires = StoreCapabilities.StagedAppends)]
    public async Task Law9_Append_to_a_deleted_upload_does_not_affect_its_successor(AppendMode mode)
    {
        await CreateAsync();
        var old = new RecordingContent();
        old.Send(Bytes(5000, 1));
        Task<AppendResult> append = StartAppend(0, old, mode: mode);
        await old.FirstReadTask.WaitAsync(CaseTimeout, Token);
        await Store.DeleteAsync(Key, null, Token);

        await CreateAsync();
        AppendResult first = await AppendAsync(0, Bytes(3000, 2));
        CaseAssert.Equal((AppendStatus.Appended, 3000L), (first.Status, first.Offset));
        old.Send(Bytes(5000, 3));
        old.Complete();
        CaseAssert.Equal(AppendStatus.NotFound, (await append.WaitAsync(CaseTimeout, Token)).Status);

        CaseAssert.Equal(3000, (await GetAsync()).Offset);
        CaseAssert.Equal(Bytes(3000, 2), await ReadContentAsync());
        CaseAssert.Equal(3001, (await AppendAsync(3000, [1])).Offset);
    }
}

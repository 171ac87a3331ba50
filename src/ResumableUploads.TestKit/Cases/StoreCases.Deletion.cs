using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public async Task A_deletion_removes_whatever_is_there()
    {
        UploadInfo info = await CreateWithAsync(Bytes(10));
        await Store.PutOutcomeAsync(Key, Bytes(10), Token);
        Check.Equal(ChangeStatus.Done, (await Store.DeleteAsync(Key, null, Token)).Status);

        Check.Null(await Store.GetAsync(Key, Token));
        Check.Null(await Store.OpenReadAsync(Key, Token));
        Check.Null(await Store.GetOutcomeAsync(Key, Token));
        Check.Equal(AppendStatus.NotFound, (await AppendAsync(10, Bytes(1))).Status);
        Check.Equal(ChangeStatus.NotFound, (await Store.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
        Check.Empty(await ListAsync());
    }

    [Case(UploadState.Received)]
    [Case(UploadState.Completed)]
    public async Task A_deletion_removes_an_upload_in_a_later_state(UploadState state)
    {
        await CreateWithAsync(Bytes(10));
        UploadInfo info = await UpdateStateAsync(state);
        Check.Equal(ChangeStatus.Done, (await Store.DeleteAsync(Key, info.Version, Token)).Status);
        Check.Null(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task A_deletion_of_what_is_not_there_answers_not_found()
    {
        UploadInfo info = await CreateAsync();
        await Store.DeleteAsync(Key, null, Token);
        Check.Equal(ChangeStatus.NotFound, (await Store.DeleteAsync(Key, null, Token)).Status);
        Check.Equal(ChangeStatus.NotFound, (await Store.DeleteAsync(Key, info.Version, Token)).Status);
    }

    [Case]
    public async Task A_key_can_be_created_anew_and_starts_empty()
    {
        await CreateWithAsync(Bytes(100_000));
        await Store.DeleteAsync(Key, null, Token);
        Check.Equal(0, (await CreateAsync()).Offset);
        Check.Equal(0, (await GetAsync()).Offset);
        Check.Empty(await ContentAsync());
    }

    [Case]
    public async Task Law9_a_conditional_deletion_is_refused_when_bytes_were_appended_since_the_read()
    {
        UploadInfo read = await CreateAsync();
        await AppendAsync(0, Bytes(10));
        Check.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, read.Version, Token)).Status);
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case]
    public async Task Law9_a_conditional_deletion_is_refused_when_the_record_was_updated_since_the_read()
    {
        UploadInfo read = await CreateAsync();
        await Store.UpdateAsync(Key, read.Version, new UploadRecord(), Token);
        Check.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, read.Version, Token)).Status);
        Check.NotNull(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Law9_a_conditional_deletion_beside_a_running_append_is_busy_at_once()
    {
        UploadInfo read = await CreateAsync();
        var running = new PipeContent();
        Task<AppendResult> append = StartAppend(0, running);
        await running.FirstRead.WaitAsync(Patience, Token);

        DeleteResult result = await Store.DeleteAsync(Key, read.Version, Token).AsTask().WaitAsync(Patience, Token);
        Check.Equal(ChangeStatus.Busy, result.Status);

        running.Send(Bytes(10));
        running.End();
        Check.Equal(AppendStatus.Appended, (await append.WaitAsync(Patience, Token)).Status);
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case(AppendMode.KeepWhatCame)]
    [Case(AppendMode.AllOrNothing, Needs = StoreAbilities.StagesAppends)]
    public async Task Law9_an_append_whose_upload_is_deleted_meanwhile_ends_in_not_found(AppendMode mode)
    {
        await CreateWithAsync(Bytes(10));
        var running = new PipeContent();
        running.Send(Bytes(5000, 2));
        Task<AppendResult> append = StartAppend(10, running, mode: mode);
        await running.FirstRead.WaitAsync(Patience, Token);

        DeleteResult deletion = await Store.DeleteAsync(Key, null, Token).AsTask().WaitAsync(Patience, Token);
        Check.Equal(ChangeStatus.Done, deletion.Status);
        Check.Null(await Store.GetAsync(Key, Token));

        running.Send(Bytes(5000, 3));
        running.End();
        Check.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append.WaitAsync(Patience, Token));
        Check.Null(await Store.GetAsync(Key, Token));
    }

    [Case(AppendMode.KeepWhatCame)]
    [Case(AppendMode.AllOrNothing, Needs = StoreAbilities.StagesAppends)]
    public async Task Law9_an_append_to_a_deleted_upload_does_not_show_in_the_one_that_has_its_key_now(AppendMode mode)
    {
        await CreateAsync();
        var old = new PipeContent();
        old.Send(Bytes(5000, 1));
        Task<AppendResult> append = StartAppend(0, old, mode: mode);
        await old.FirstRead.WaitAsync(Patience, Token);
        await Store.DeleteAsync(Key, null, Token);

        await CreateAsync();
        AppendResult first = await AppendAsync(0, Bytes(3000, 2));
        Check.Equal((AppendStatus.Appended, 3000L), (first.Status, first.Offset));
        old.Send(Bytes(5000, 3));
        old.End();
        Check.Equal(AppendStatus.NotFound, (await append.WaitAsync(Patience, Token)).Status);

        Check.Equal(3000, (await GetAsync()).Offset);
        Check.Equal(Bytes(3000, 2), await ContentAsync());
        Check.Equal(3001, (await AppendAsync(3000, [1])).Offset);
    }
}

using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    private static readonly int[] StagedSizes = [100, 100, 5000, 1, 70_000, 30, 4096, 60_000, 1, 200_000, 7];

    [Case(Needs = StoreAbilities.StagesAppends)]
    public async Task A_staged_append_that_is_wanted_counts_as_a_whole()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        PipeContent content = PipeContent.Of(Bytes(100_000, 2));
        AppendResult result = await StartAppend(10, content, mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);

        Check.Equal((AppendStatus.Appended, 100_010L), (result.Status, result.Offset));
        Check.NotEqual(before.Version, result.Version);
        Check.Equal(result.Version, (await GetAsync()).Version);
        Check.Equal(1, content.TimesAsked);
        Check.True(content.WasReadToItsEnd);
        Check.False(content.WasCompletedByTheStore);
        Check.Empty(content.CommittedOffsets);
        Check.Equal(Joined(Bytes(10), Bytes(100_000, 2)), await ContentAsync());
    }

    [Case(Needs = StoreAbilities.StagesAppends)]
    public async Task A_staged_append_that_is_not_wanted_leaves_nothing()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        AppendResult result = await StartAppend(10, Unwanted(Bytes(100_000, 2)), mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);

        Check.Equal(new AppendResult(AppendStatus.Discarded, 10, before.Version), result);
        UploadInfo now = await GetAsync();
        Check.Equal((10L, before.Version), (now.Offset, now.Version));
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case(AppendMode.KeepWhatCame, Needs = StoreAbilities.StagesAppends)]
    [Case(AppendMode.AllOrNothing, Needs = StoreAbilities.StagesAppends)]
    public async Task After_a_discarded_append_another_at_the_same_offset_works(AppendMode mode)
    {
        await CreateWithAsync(Bytes(10));
        await StartAppend(10, Unwanted(Bytes(5000, 2)), mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);
        AppendResult result = await StartAppend(10, PipeContent.Of(Bytes(3000, 3)), mode: mode).WaitAsync(Patience, Token);
        Check.Equal(3010, result.Offset);
        Check.Equal(Joined(Bytes(10), Bytes(3000, 3)), await ContentAsync());
    }

    [Case(Needs = StoreAbilities.StagesAppends)]
    public async Task Staged_bytes_do_not_count_before_the_content_says_so()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new PipeContent
        {
            Decide = () =>
            {
                asked.SetResult();
                return new ValueTask<bool>(answer.Task);
            },
        };
        content.Send(Bytes(5000, 2));
        content.End();
        Task<AppendResult> append = StartAppend(10, content, mode: AppendMode.AllOrNothing);
        await asked.Task.WaitAsync(Patience, Token);

        UploadInfo meanwhile = await GetAsync();
        Check.Equal((10L, before.Version), (meanwhile.Offset, meanwhile.Version));
        Check.Equal(Bytes(10), await ContentAsync());
        Check.Equal(ChangeStatus.Busy, (await Store.UpdateAsync(Key, before.Version, before.Record, Token)).Status);

        answer.SetResult(true);
        Check.Equal(5010, (await append.WaitAsync(Patience, Token)).Offset);
        Check.Equal(Joined(Bytes(10), Bytes(5000, 2)), await ContentAsync());
    }

    [Case(Needs = StoreAbilities.StagesAppends)]
    public async Task A_staged_content_that_ends_early_is_asked_like_any_other()
    {
        await CreateAsync(record: new UploadRecord { Length = 1_000_000 });
        var content = new PipeContent { Expected = 1_000_000, Decide = () => ValueTask.FromResult(false) };
        content.Send(Bytes(5000));
        content.End();
        AppendResult result = await StartAppend(0, content, mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);
        Check.Equal((AppendStatus.Discarded, 0L, 1), (result.Status, result.Offset, content.TimesAsked));
        Check.Empty(await ContentAsync());
    }

    [Case(Needs = StoreAbilities.StagesAppends)]
    public async Task An_empty_staged_content_adds_nothing()
    {
        await CreateWithAsync(Bytes(10));
        AppendResult result = await StartAppend(10, PipeContent.Of([]), mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);
        Check.Equal((AppendStatus.Appended, 10L), (result.Status, result.Offset));
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case(Needs = StoreAbilities.StagesAppends)]
    public async Task Law5_a_refused_staged_append_has_not_touched_the_content()
    {
        await CreateWithAsync(Bytes(10));
        PipeContent content = PipeContent.Of(Bytes(5));
        AppendResult result = await StartAppend(9, content, mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);
        Check.Equal((AppendStatus.OffsetMismatch, 10L), (result.Status, result.Offset));
        Check.Equal((0, 0), (content.Reads, content.TimesAsked));
    }

    [Case(Needs = StoreAbilities.StagesAppends)]
    public async Task Law3_staged_and_plain_appends_of_many_sizes_make_up_what_was_sent()
    {
        byte[] sent = Bytes(400_000);
        await CreateAsync();
        int offset = 0;
        foreach ((int index, int size) in StagedSizes.Index())
        {
            AppendMode mode = index % 3 == 2 ? AppendMode.KeepWhatCame : AppendMode.AllOrNothing;
            PipeContent content = PipeContent.Of(sent.AsSpan(offset, size));
            offset += size;
            Check.Equal(offset, (await StartAppend(offset - size, content, mode: mode).WaitAsync(Patience, Token)).Offset);
        }

        Check.Equal(sent[..offset], await ContentAsync());
    }

    [Case(Without = StoreAbilities.StagesAppends)]
    public Task A_store_that_is_tried_without_staging_has_none()
    {
        Check.Null(Store.GetCapability<IStagesAppends>());
        return Task.CompletedTask;
    }

    private static PipeContent Unwanted(byte[] bytes)
    {
        var content = new PipeContent { Decide = () => ValueTask.FromResult(false) };
        content.Send(bytes);
        content.End();
        return content;
    }
}

using ResumableUploads.Abstractions;

namespace ResumableUploads.Tests.Stores.Laws;

public abstract partial class UploadStoreLaws
{
    [Fact]
    public async Task A_staged_append_that_is_wanted_counts_as_a_whole()
    {
        SkipUnlessStaged(AppendMode.AllOrNothing);
        UploadInfo before = await CreateWithAsync(Bytes(10));
        PipeContent content = PipeContent.Of(Bytes(100_000, 2));
        AppendResult result = await StartAppend(10, content, mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);

        Assert.Equal((AppendStatus.Appended, 100_010L), (result.Status, result.Offset));
        Assert.NotEqual(before.Version, result.Version);
        Assert.Equal(result.Version, (await GetAsync()).Version);
        Assert.Equal(1, content.TimesAsked);
        Assert.True(content.WasReadToItsEnd);
        Assert.False(content.WasCompletedByTheStore);
        Assert.Empty(content.CommittedOffsets);
        Assert.Equal(Joined(Bytes(10), Bytes(100_000, 2)), await ContentAsync());
    }

    [Fact]
    public async Task A_staged_append_that_is_not_wanted_leaves_nothing()
    {
        SkipUnlessStaged(AppendMode.AllOrNothing);
        UploadInfo before = await CreateWithAsync(Bytes(10));
        AppendResult result = await StartAppend(10, Unwanted(Bytes(100_000, 2)), mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);

        Assert.Equal(new AppendResult(AppendStatus.Discarded, 10, before.Version), result);
        UploadInfo now = await GetAsync();
        Assert.Equal((10L, before.Version), (now.Offset, now.Version));
        Assert.Equal(Bytes(10), await ContentAsync());
    }

    [Theory]
    [InlineData(AppendMode.KeepWhatCame)]
    [InlineData(AppendMode.AllOrNothing)]
    public async Task After_a_discarded_append_another_at_the_same_offset_works(AppendMode mode)
    {
        SkipUnlessStaged(AppendMode.AllOrNothing);
        await CreateWithAsync(Bytes(10));
        await StartAppend(10, Unwanted(Bytes(5000, 2)), mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);
        AppendResult result = await StartAppend(10, PipeContent.Of(Bytes(3000, 3)), mode: mode).WaitAsync(Patience, Token);
        Assert.Equal(3010, result.Offset);
        Assert.Equal(Joined(Bytes(10), Bytes(3000, 3)), await ContentAsync());
    }

    [Fact]
    public async Task Staged_bytes_do_not_count_before_the_content_says_so()
    {
        SkipUnlessStaged(AppendMode.AllOrNothing);
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
        Assert.Equal((10L, before.Version), (meanwhile.Offset, meanwhile.Version));
        Assert.Equal(Bytes(10), await ContentAsync());
        Assert.Equal(ChangeStatus.Busy, (await Store.UpdateAsync(Key, before.Version, before.Record, Token)).Status);

        answer.SetResult(true);
        Assert.Equal(5010, (await append.WaitAsync(Patience, Token)).Offset);
        Assert.Equal(Joined(Bytes(10), Bytes(5000, 2)), await ContentAsync());
    }

    [Fact]
    public async Task A_staged_content_that_ends_early_is_asked_like_any_other()
    {
        SkipUnlessStaged(AppendMode.AllOrNothing);
        await CreateAsync(record: new UploadRecord { Length = 1_000_000 });
        var content = new PipeContent { Expected = 1_000_000, Decide = () => ValueTask.FromResult(false) };
        content.Send(Bytes(5000));
        content.End();
        AppendResult result = await StartAppend(0, content, mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);
        Assert.Equal((AppendStatus.Discarded, 0L, 1), (result.Status, result.Offset, content.TimesAsked));
        Assert.Empty(await ContentAsync());
    }

    [Fact]
    public async Task An_empty_staged_content_adds_nothing()
    {
        SkipUnlessStaged(AppendMode.AllOrNothing);
        await CreateWithAsync(Bytes(10));
        AppendResult result = await StartAppend(10, PipeContent.Of([]), mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);
        Assert.Equal((AppendStatus.Appended, 10L), (result.Status, result.Offset));
        Assert.Equal(Bytes(10), await ContentAsync());
    }

    [Fact]
    public async Task Law5_a_refused_staged_append_has_not_touched_the_content()
    {
        SkipUnlessStaged(AppendMode.AllOrNothing);
        await CreateWithAsync(Bytes(10));
        PipeContent content = PipeContent.Of(Bytes(5));
        AppendResult result = await StartAppend(9, content, mode: AppendMode.AllOrNothing).WaitAsync(Patience, Token);
        Assert.Equal((AppendStatus.OffsetMismatch, 10L), (result.Status, result.Offset));
        Assert.Equal((0, 0), (content.Reads, content.TimesAsked));
    }

    [Fact]
    public async Task Law3_staged_and_plain_appends_of_many_sizes_make_up_what_was_sent()
    {
        SkipUnlessStaged(AppendMode.AllOrNothing);
        byte[] sent = Bytes(400_000);
        await CreateAsync();
        int offset = 0;
        foreach ((int index, int size) in new[] { 100, 100, 5000, 1, 70_000, 30, 4096, 60_000, 1, 200_000, 7 }.Index())
        {
            AppendMode mode = index % 3 == 2 ? AppendMode.KeepWhatCame : AppendMode.AllOrNothing;
            PipeContent content = PipeContent.Of(sent.AsSpan(offset, size));
            offset += size;
            Assert.Equal(offset, (await StartAppend(offset - size, content, mode: mode).WaitAsync(Patience, Token)).Offset);
        }

        Assert.Equal(sent[..offset], await ContentAsync());
    }

    private static PipeContent Unwanted(byte[] bytes)
    {
        var content = new PipeContent { Decide = () => ValueTask.FromResult(false) };
        content.Send(bytes);
        content.End();
        return content;
    }
}

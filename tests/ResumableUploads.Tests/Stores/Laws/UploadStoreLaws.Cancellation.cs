using ResumableUploads.Abstractions;

namespace ResumableUploads.Tests.Stores.Laws;

public abstract partial class UploadStoreLaws
{
    private static readonly CancellationToken Fired = new(canceled: true);

    [Fact]
    public async Task A_token_that_has_fired_keeps_an_upload_from_being_created()
    {
        await AssertCancelledAsync(async () => await Store.CreateAsync(Key, new UploadRecord(), Fired));
        Assert.Null(await Store.GetAsync(Key, Token));
    }

    [Fact]
    public async Task A_token_that_has_fired_keeps_an_append_from_touching_the_content()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        PipeContent content = PipeContent.Of(Bytes(5));
        await AssertCancelledAsync(async () => await Store.AppendAsync(Key, 10, content, AppendMode.KeepWhatCame, Fired));
        Assert.Equal(0, content.Reads);
        Assert.Equal(before.Version, (await GetAsync()).Version);
        Assert.Equal(11, (await AppendAsync(10, [1])).Offset);
    }

    [Fact]
    public async Task A_token_that_has_fired_keeps_every_other_call_from_changing_anything()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        await AssertCancelledAsync(async () => await Store.UpdateAsync(Key, before.Version, new UploadRecord { Length = 7 }, Fired));
        await AssertCancelledAsync(async () => await Store.DeleteAsync(Key, before.Version, Fired));
        await AssertCancelledAsync(async () => await Store.DeleteAsync(Key, null, Fired));
        await AssertCancelledAsync(async () => await Store.PutOutcomeAsync(Key, Bytes(1), Fired));

        Assert.Equal(before.Version, (await GetAsync()).Version);
        Assert.Null(await Store.GetOutcomeAsync(Key, Token));
        Assert.Equal(Bytes(10), await ContentAsync());
    }

    [Fact]
    public async Task A_token_that_has_fired_ends_a_call_that_only_reads()
    {
        await CreateWithAsync(Bytes(10));
        await AssertCancelledAsync(async () => await Store.GetAsync(Key, Fired));
        await AssertCancelledAsync(async () => await Store.OpenReadAsync(Key, Fired));
        await AssertCancelledAsync(async () => await Store.GetOutcomeAsync(Key, Fired));
        await AssertCancelledAsync(async () =>
        {
            await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), Fired))
            {
                Assert.Fail($"{info.Key} was listed.");
            }
        });
    }

    private static async Task AssertCancelledAsync(Func<Task> call) =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(call);
}

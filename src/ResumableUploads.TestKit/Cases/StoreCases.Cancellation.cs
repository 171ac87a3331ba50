using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    private static readonly CancellationToken Fired = new(canceled: true);

    [Case]
    public async Task A_token_that_has_fired_keeps_an_upload_from_being_created()
    {
        await CheckCancelledAsync(async () => await Store.CreateAsync(Key, new UploadRecord(), Fired));
        Check.Null(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task A_token_that_has_fired_keeps_an_append_from_touching_the_content()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        PipeContent content = PipeContent.Of(Bytes(5));
        await CheckCancelledAsync(async () => await Store.AppendAsync(Key, 10, content, AppendMode.KeepWhatCame, Fired));
        Check.Equal(0, content.Reads);
        Check.Equal(before.Version, (await GetAsync()).Version);
        Check.Equal(11, (await AppendAsync(10, [1])).Offset);
    }

    [Case]
    public async Task A_token_that_has_fired_keeps_every_other_call_from_changing_anything()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        await CheckCancelledAsync(async () => await Store.UpdateAsync(Key, before.Version, new UploadRecord { Length = 7 }, Fired));
        await CheckCancelledAsync(async () => await Store.DeleteAsync(Key, before.Version, Fired));
        await CheckCancelledAsync(async () => await Store.DeleteAsync(Key, null, Fired));
        await CheckCancelledAsync(async () => await Store.PutOutcomeAsync(Key, Bytes(1), Fired));

        Check.Equal(before.Version, (await GetAsync()).Version);
        Check.Null(await Store.GetOutcomeAsync(Key, Token));
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case]
    public async Task A_token_that_has_fired_ends_a_call_that_only_reads()
    {
        await CreateWithAsync(Bytes(10));
        await CheckCancelledAsync(async () => await Store.GetAsync(Key, Fired));
        await CheckCancelledAsync(async () => await Store.OpenReadAsync(Key, Fired));
        await CheckCancelledAsync(async () => await Store.GetOutcomeAsync(Key, Fired));
        await CheckCancelledAsync(async () =>
        {
            await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), Fired))
            {
                Check.Fail($"{info.Key} was listed.");
            }
        });
    }

    private static async Task CheckCancelledAsync(Func<Task> call) =>
        await Check.ThrowsAsync<OperationCanceledException>(call);
}

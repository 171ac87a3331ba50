using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    private static readonly CancellationToken CanceledToken = new(canceled: true);

    [Case]
    public async Task Create_with_canceled_token_creates_nothing()
    {
        await CheckCanceledAsync(async () => await Store.CreateAsync(Key, new UploadRecord(), CanceledToken));
        CaseAssert.Null(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Append_with_canceled_token_does_not_read_the_content()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        RecordingContent content = RecordingContent.FromBytes(Bytes(5));
        await CheckCanceledAsync(async () => await Store.AppendAsync(Key, 10, content, AppendMode.KeepPartial, CanceledToken));
        CaseAssert.Equal(0, content.ReadCount);
        CaseAssert.Equal(before.Version, (await GetAsync()).Version);
        CaseAssert.Equal(11, (await AppendAsync(10, [1])).Offset);
    }

    [Case]
    public async Task Other_calls_with_canceled_token_change_nothing()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        await CheckCanceledAsync(async () => await Store.UpdateAsync(Key, before.Version, new UploadRecord { Length = 7 }, CanceledToken));
        await CheckCanceledAsync(async () => await Store.DeleteAsync(Key, before.Version, CanceledToken));
        await CheckCanceledAsync(async () => await Store.DeleteAsync(Key, null, CanceledToken));
        await CheckCanceledAsync(async () => await Store.CompleteAsync(Key, before.Version, CompletedRecord, Bytes(1), CanceledToken));

        CaseAssert.Equal(before.Version, (await GetAsync()).Version);
        CaseAssert.Null(await Store.GetResponseAsync(Key, Token));
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case]
    public async Task Read_calls_with_canceled_token_throw()
    {
        await CreateWithContentAsync(Bytes(10));
        await CheckCanceledAsync(async () => await Store.GetAsync(Key, CanceledToken));
        await CheckCanceledAsync(async () => await Store.OpenReadAsync(Key, CanceledToken));
        await CheckCanceledAsync(async () => await Store.GetResponseAsync(Key, CanceledToken));
        await CheckCanceledAsync(async () =>
        {
            await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), CanceledToken))
            {
                CaseAssert.Fail($"{info.Key} was listed.");
            }
        });
    }

    private static async Task CheckCanceledAsync(Func<Task> call) =>
        await CaseAssert.ThrowsAsync<OperationCanceledException>(call);
}

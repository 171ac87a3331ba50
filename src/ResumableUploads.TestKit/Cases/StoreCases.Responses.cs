using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for stored responses.</content>
internal sealed partial class StoreCases
{
    [Case]
    public async Task Law7_Response_with_every_byte_value_round_trips()
    {
        byte[] response = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        await CreateAsync();
        CaseAssert.Null(await ReadResponseAsync());
        await Store.PutResponseAsync(Key, response, Token);
        CaseAssert.Equal(response, await ReadResponseAsync());
    }

    [Case]
    public async Task Law7_Response_of_1_MiB_round_trips()
    {
        await CreateAsync();
        await Store.PutResponseAsync(Key, Bytes(1024 * 1024), Token);
        CaseAssert.Equal(Bytes(1024 * 1024), await ReadResponseAsync());
    }

    [Case]
    public async Task Law7_Put_response_copies_the_data()
    {
        byte[] response = Bytes(100);
        await CreateAsync();
        await Store.PutResponseAsync(Key, response, Token);
        response.AsSpan().Clear();
        CaseAssert.Equal(Bytes(100), await ReadResponseAsync());
    }

    [Case]
    public async Task Put_response_replaces_the_previous_response()
    {
        await CreateAsync();
        await Store.PutResponseAsync(Key, Bytes(100, 1), Token);
        await Store.PutResponseAsync(Key, Bytes(10, 2), Token);
        CaseAssert.Equal(Bytes(10, 2), await ReadResponseAsync());
    }

    [Case]
    public async Task Put_response_does_not_change_the_version()
    {
        UploadInfo info = await CreateAsync();
        await Store.PutResponseAsync(Key, Bytes(10), Token);
        CaseAssert.Equal(info.Version, (await GetAsync()).Version);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
    }

    [Case]
    public async Task Response_survives_appends_and_updates()
    {
        await CreateAsync();
        await Store.PutResponseAsync(Key, Bytes(10), Token);
        await AppendAsync(0, Bytes(20, 2));
        await UpdateStateAsync(UploadState.Received);
        await UpdateStateAsync(UploadState.Completed);
        CaseAssert.Equal(Bytes(10), await ReadResponseAsync());
        CaseAssert.Equal(Bytes(20, 2), await ReadContentAsync());
    }

    [Case]
    public async Task Response_is_deleted_with_its_upload()
    {
        await CreateAsync();
        await Store.PutResponseAsync(Key, Bytes(10), Token);
        await Store.DeleteAsync(Key, null, Token);
        CaseAssert.Null(await ReadResponseAsync());
        await CreateAsync();
        CaseAssert.Null(await ReadResponseAsync());
    }

    [Case]
    public async Task Put_response_of_missing_upload_is_ignored()
    {
        await Store.PutResponseAsync(Key, Bytes(10), Token);
        CaseAssert.Null(await ReadResponseAsync());
        CaseAssert.Null(await Store.GetAsync(Key, Token));
        await CreateAsync();
        CaseAssert.Null(await ReadResponseAsync());
    }

    private async Task<byte[]?> ReadResponseAsync() => (await Store.GetResponseAsync(Key, Token))?.ToArray();
}

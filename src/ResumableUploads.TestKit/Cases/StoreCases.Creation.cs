using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for creation: existing keys, concurrency and key validation.</content>
internal sealed partial class StoreCases
{
    [Case]
    public async Task Create_returns_an_upload_with_offset_0()
    {
        UploadInfo created = await CreateAsync();
        CaseAssert.Equal(Key, created.Key);
        CaseAssert.Equal(0, created.Offset);
        CaseAssert.Equal(UploadState.Receiving, created.State);
        CaseAssert.NotEmpty(created.Version);
        AssertIsNow(created.LastModified);
    }

    [Case]
    public async Task Create_returns_the_same_info_as_get()
    {
        UploadInfo created = await CreateAsync();
        UploadInfo current = await GetAsync();
        CaseAssert.Equal(created.Key, current.Key);
        CaseAssert.Equal(created.Version, current.Version);
        CaseAssert.Equal(created.LastModified, current.LastModified);
    }

    [Case]
    public async Task Create_with_existing_key_returns_AlreadyExists()
    {
        UploadInfo first = await CreateAsync(record: new UploadRecord { Data = new byte[] { 1 } });
        await AppendAsync(0, Bytes(10));
        CreateResult second = await Store.CreateAsync(Key, new UploadRecord { Data = new byte[] { 2 } }, Token);

        CaseAssert.Equal(CreateStatus.AlreadyExists, second.Status);
        CaseAssert.Null(second.Info);
        UploadInfo current = await GetAsync();
        CaseAssert.Equal(10, current.Offset);
        CaseAssert.Equal(first.Record.Data.ToArray(), current.Record.Data.ToArray());
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case]
    public async Task Create_with_key_of_completed_upload_returns_AlreadyExists()
    {
        await CreateAsync();
        await UpdateStateAsync(UploadState.Completed);
        CaseAssert.Equal(CreateStatus.AlreadyExists, (await Store.CreateAsync(Key, new UploadRecord(), Token)).Status);
    }

    [Case]
    public async Task Concurrent_creates_of_one_key_succeed_once()
    {
        for (int round = 0; round < 10; round++)
        {
            var key = new UploadKey("owner", $"race-{round}");
            CreateResult[] results = await RunConcurrentlyAsync(8, async i =>
                await Store.CreateAsync(key, new UploadRecord { Data = new[] { (byte)i } }, Token));

            CreateResult winner = CaseAssert.Single(results, result => result.Status == CreateStatus.Created);
            CaseAssert.Equal(winner.Info!.Version, (await GetAsync(key)).Version);
            CaseAssert.Equal(winner.Info.Record.Data.ToArray(), (await GetAsync(key)).Record.Data.ToArray());
        }
    }

    [Case]
    public async Task Reads_of_missing_upload_return_null()
    {
        CaseAssert.Null(await Store.GetAsync(Key, Token));
        CaseAssert.Null(await Store.OpenReadAsync(Key, Token));
        CaseAssert.Null(await Store.GetResponseAsync(Key, Token));
        CaseAssert.Empty(await ListAsync());
    }

    [Case]
    public async Task Keys_of_maximum_length_and_all_allowed_characters_are_distinct()
    {
        string longest = new('a', UploadKey.MaxPartLength);
        UploadKey[] keys =
        [
            new(longest, longest),
            new(longest, longest[..^1] + "b"),
            new("0-", "con"),
            new("0--", "con"),
            new("0", "a-b"),
            new("0-a", "b"),
            new("abcdefghijklmnopqrstuvwxyz0123456789-", "abcdefghijklmnopqrstuvwxyz0123456789-"),
        ];
        foreach ((int index, UploadKey key) in keys.Index())
        {
            await CreateWithContentAsync([(byte)index], key);
        }

        foreach ((int index, UploadKey key) in keys.Index())
        {
            CaseAssert.Equal(new[] { (byte)index }, await ReadContentAsync(key));
        }
    }

    [Case]
    public async Task Law8_Same_id_of_two_owners_is_two_uploads()
    {
        UploadKey mine = new("mine", "id");
        UploadKey theirs = new("theirs", "id");
        await CreateWithContentAsync(Bytes(10, 1), mine);
        await CreateWithContentAsync(Bytes(20, 2), theirs);
        await CompleteAsync([1], mine);

        await UpdateStateAsync(UploadState.Completed, theirs);
        CaseAssert.Null(await Store.GetResponseAsync(theirs, Token));
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(theirs, (await GetAsync(mine)).Version, Token)).Status);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(mine, null, Token)).Status);
        CaseAssert.Null(await Store.GetAsync(mine, Token));
        CaseAssert.Equal(Bytes(20, 2), await ReadContentAsync(theirs));
    }
}

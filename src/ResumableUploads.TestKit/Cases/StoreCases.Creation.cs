using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public async Task Create_makes_an_upload_with_offset_0()
    {
        UploadInfo made = await CreateAsync();
        Check.Equal(Key, made.Key);
        Check.Equal(0, made.Offset);
        Check.Equal(UploadState.Receiving, made.State);
        Check.NotEmpty(made.Version);
        Check.Equal(Time.GetUtcNow(), made.LastChanged, TimeSpan.FromSeconds(1));
    }

    [Case]
    public async Task Create_gives_what_a_get_gives()
    {
        UploadInfo made = await CreateAsync();
        UploadInfo read = await GetAsync();
        Check.Equal(made.Key, read.Key);
        Check.Equal(made.Version, read.Version);
        Check.Equal(made.LastChanged, read.LastChanged);
    }

    [Case]
    public async Task Create_answers_taken_and_changes_nothing_when_the_key_is_there()
    {
        UploadInfo first = await CreateAsync(record: new UploadRecord { Data = new byte[] { 1 } });
        await AppendAsync(0, Bytes(10));
        CreateResult second = await Store.CreateAsync(Key, new UploadRecord { Data = new byte[] { 2 } }, Token);

        Check.Equal(CreateStatus.Taken, second.Status);
        Check.Null(second.Info);
        UploadInfo now = await GetAsync();
        Check.Equal(10, now.Offset);
        Check.Equal(first.Record.Data.ToArray(), now.Record.Data.ToArray());
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case]
    public async Task Create_answers_taken_for_a_completed_upload_too()
    {
        await CreateAsync();
        await UpdateStateAsync(UploadState.Completed);
        Check.Equal(CreateStatus.Taken, (await Store.CreateAsync(Key, new UploadRecord(), Token)).Status);
    }

    [Case]
    public async Task Of_many_creations_of_one_key_exactly_one_makes_it()
    {
        for (int round = 0; round < 10; round++)
        {
            var key = new UploadKey("owner", $"race-{round}");
            CreateResult[] results = await AtOnceAsync(8, async i =>
                await Store.CreateAsync(key, new UploadRecord { Data = new[] { (byte)i } }, Token));

            CreateResult winner = Check.Single(results, result => result.Status == CreateStatus.Created);
            Check.Equal(winner.Info!.Version, (await GetAsync(key)).Version);
            Check.Equal(winner.Info.Record.Data.ToArray(), (await GetAsync(key)).Record.Data.ToArray());
        }
    }

    [Case]
    public async Task What_is_not_there_is_null()
    {
        Check.Null(await Store.GetAsync(Key, Token));
        Check.Null(await Store.OpenReadAsync(Key, Token));
        Check.Null(await Store.GetOutcomeAsync(Key, Token));
        Check.Empty(await ListAsync());
    }

    [Case]
    public async Task Names_of_the_longest_kind_and_of_every_allowed_character_are_kept_apart()
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
            await CreateWithAsync([(byte)index], key);
        }

        foreach ((int index, UploadKey key) in keys.Index())
        {
            Check.Equal(new[] { (byte)index }, await ContentAsync(key));
        }
    }

    [Case]
    public async Task Law8_the_same_id_under_two_owners_is_two_uploads()
    {
        UploadKey mine = new("mine", "id");
        UploadKey theirs = new("theirs", "id");
        await CreateWithAsync(Bytes(10, 1), mine);
        await CreateWithAsync(Bytes(20, 2), theirs);
        await Store.PutOutcomeAsync(mine, new byte[] { 1 }, Token);

        Check.Null(await Store.GetOutcomeAsync(theirs, Token));
        Check.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(theirs, (await GetAsync(mine)).Version, Token)).Status);
        Check.Equal(ChangeStatus.Done, (await Store.DeleteAsync(mine, null, Token)).Status);
        Check.Null(await Store.GetAsync(mine, Token));
        Check.Equal(Bytes(20, 2), await ContentAsync(theirs));
    }
}

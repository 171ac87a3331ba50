using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public async Task A_version_is_new_with_every_append_and_update()
    {
        List<string> versions = [(await CreateAsync()).Version];
        for (int i = 0; i < 10; i++)
        {
            versions.Add((await AppendAsync(i, [1])).Version!);
            UpdateResult update = await Store.UpdateAsync(Key, versions[^1], new UploadRecord(), Token);
            versions.Add(update.Info!.Version);
        }

        Check.Equal(21, versions.Count);
        Check.Equal(versions.Count, versions.Distinct().Count());
        Check.Equal(versions[^1], (await GetAsync()).Version);
    }

    [Case]
    public async Task A_version_stays_the_same_while_nothing_changes()
    {
        UploadInfo info = await CreateWithAsync(Bytes(10));
        await AppendAsync(3, Bytes(5));
        await Store.UpdateAsync(Key, "another", new UploadRecord(), Token);
        await ContentAsync();
        Check.Equal(info.Version, (await GetAsync()).Version);
        Check.Equal(ChangeStatus.Done, (await Store.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
    }

    [Case]
    public async Task A_version_is_never_used_again_when_a_key_is_created_anew()
    {
        HashSet<string> seen = [];
        for (int i = 0; i < 5; i++)
        {
            Check.True(seen.Add((await CreateAsync()).Version));
            AppendResult append = await AppendAsync(0, Bytes(10));
            Check.True(seen.Add(append.Version!));
            Check.True(seen.Add((await Store.UpdateAsync(Key, append.Version!, new UploadRecord(), Token)).Info!.Version));
            await Store.DeleteAsync(Key, null, Token);
        }
    }

    [Case]
    public async Task A_version_of_a_deleted_upload_changes_nothing_in_the_one_that_has_its_key_now()
    {
        UploadInfo old = await CreateAsync();
        await Store.DeleteAsync(Key, null, Token);
        await CreateAsync();
        Check.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, old.Version, new UploadRecord(), Token)).Status);
        Check.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, old.Version, Token)).Status);
        Check.NotNull(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task A_text_that_no_store_made_is_no_version()
    {
        await CreateAsync();
        foreach (string text in new[] { "", "*", "0", "../x", new string('a', 10_000) })
        {
            Check.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, text, new UploadRecord(), Token)).Status);
            Check.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, text, Token)).Status);
        }
    }
}

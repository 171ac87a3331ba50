using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for the versions of an upload.</content>
internal sealed partial class StoreCases
{
    [Case]
    public async Task Version_changes_with_every_append_and_update()
    {
        List<string> versions = [(await CreateAsync()).Version];
        for (int i = 0; i < 10; i++)
        {
            versions.Add((await AppendAsync(i, [1])).Version!);
            UpdateResult update = await Store.UpdateAsync(Key, versions[^1], new UploadRecord(), Token);
            versions.Add(update.Info!.Version);
        }

        CaseAssert.Equal(21, versions.Count);
        CaseAssert.Equal(versions.Count, versions.Distinct().Count());
        CaseAssert.Equal(versions[^1], (await GetAsync()).Version);
    }

    [Case]
    public async Task Version_is_stable_while_nothing_changes()
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        await AppendAsync(3, Bytes(5));
        await Store.UpdateAsync(Key, "another", new UploadRecord(), Token);
        await ReadContentAsync();
        CaseAssert.Equal(info.Version, (await GetAsync()).Version);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
    }

    [Case]
    public async Task Version_is_never_reused_after_delete_and_create()
    {
        HashSet<string> seen = [];
        for (int i = 0; i < 5; i++)
        {
            CaseAssert.True(seen.Add((await CreateAsync()).Version));
            AppendResult append = await AppendAsync(0, Bytes(10));
            CaseAssert.True(seen.Add(append.Version!));
            CaseAssert.True(seen.Add((await Store.UpdateAsync(Key, append.Version!, new UploadRecord(), Token)).Info!.Version));
            await Store.DeleteAsync(Key, null, Token);
        }
    }

    [Case]
    public async Task Version_of_a_deleted_upload_does_not_match_its_successor()
    {
        UploadInfo old = await CreateAsync();
        await Store.DeleteAsync(Key, null, Token);
        await CreateAsync();
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, old.Version, new UploadRecord(), Token)).Status);
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, old.Version, Token)).Status);
        CaseAssert.NotNull(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Unknown_version_returns_VersionMismatch()
    {
        await CreateAsync();
        foreach (string text in new[] { "", "*", "0", "../x", new string('a', 10_000) })
        {
            CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, text, new UploadRecord(), Token)).Status);
            CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, text, Token)).Status);
        }
    }
}

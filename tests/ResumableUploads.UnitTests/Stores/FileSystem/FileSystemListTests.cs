using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

public class FileSystemListTests : FileSystemStoreTest
{
    [Fact]
    public async Task List_returns_uploads_in_key_order_after_any_key()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        UploadKey[] keys =
        [
            new("a", "1"), new("a", "10"), new("a", "10a"), new("a", "1a"), new("a", "2"), new("a", "zz-z"),
            new("a-b", "1"), new("b", "0"), new("b", "zz"),
        ];
        foreach (UploadKey key in keys.Reverse())
        {
            await CreateAsync(store, key);
        }

        Assert.Equal(keys, await ListAsync(store, new UploadQuery()));
        Assert.Equal(keys[6..7], await ListAsync(store, new UploadQuery { Owner = "a-b" }));
        Assert.Empty(await ListAsync(store, new UploadQuery { Owner = "../a" }));
        Assert.Empty(await ListAsync(store, new UploadQuery { Owner = "nobody" }));
        for (int i = 0; i < keys.Length; i++)
        {
            Assert.Equal(keys[(i + 1)..], await ListAsync(store, new UploadQuery { StartAfter = keys[i] }));
            await store.DeleteAsync(keys[i], null, None);
            Assert.Equal(keys[(i + 1)..], await ListAsync(store, new UploadQuery { StartAfter = keys[i] }));
            Assert.Equal(
                keys[(i + 1)..].Where(key => key.Owner == "a"), await ListAsync(store, new UploadQuery { StartAfter = keys[i], Owner = "a" }));
            await CreateAsync(store, keys[i]);
        }
    }

    [Fact]
    public async Task List_skips_foreign_files_and_damaged_uploads()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        foreach (string id in (string[])["aa1", "aa2", "aa3", "aa4", "aa5"])
        {
            await CreateAsync(store, new UploadKey("owner", id));
        }

        string shard = Path.Combine(StoreRoot, "uploads", "owner", "aa");
        File.WriteAllText(Path.Combine(shard, "aa2", "record.json"), "");
        File.Delete(Path.Combine(shard, "aa3", "record.json"));
        File.WriteAllText(Path.Combine(shard, "aa4", "record.json"), "{\"format\":99}\n");
        File.WriteAllText(Path.Combine(shard, "a-file"), "");
        Directory.CreateDirectory(Path.Combine(shard, "UPPER"));
        Directory.CreateDirectory(Path.Combine(shard, "zz-elsewhere"));
        Directory.CreateDirectory(Path.Combine(StoreRoot, "uploads", "lost+found"));
        File.WriteAllText(Path.Combine(StoreRoot, "uploads", "stray"), "");

        Assert.Equal(["aa1", "aa5"], (await ListAsync(store, new UploadQuery())).Select(key => key.Id));
        Assert.Equal(["aa1", "aa5"], (await ListAsync(store, new UploadQuery())).Select(key => key.Id));
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(StoreRoot, "quarantine")).Length);
        Assert.Contains(Logs.Lines, line => line.Id == 109 && line.Text.Contains("newer", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("aaa")]
    [InlineData("aaa/x1")]
    public async Task List_skips_directories_that_cannot_be_read(string directory)
    {
        FileSystemUploadStore store = NewStore(files: new UnreadableDirectoryFiles(directory));
        await CreateAsync(store, new UploadKey("aaa", "x1"));
        await CreateAsync(store);

        Assert.Equal([Key], await ListAsync(store, new UploadQuery()));
        Assert.Contains(Logs.Lines, line => line.Id == 185 && line.Text.Contains(directory, StringComparison.Ordinal));

        Assert.Empty(await ListAsync(store, new UploadQuery { Owner = "aaa" }));
        await Assert.ThrowsAsync<UploadStoreException>(() => ListAsync(store, new UploadQuery { Owner = "aaa", IncludeUnreadable = true }));
    }

    [Fact]
    public async Task List_with_unreadable_uploads_returns_the_bytes_they_take_up()
    {
        var files = new UnreadableRecordFiles();
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash, files: files);
        foreach (string id in (string[])["aa1", "aa2", "aa3", "aa4"])
        {
            await CreateAsync(store, new UploadKey("owner", id));
            await AppendAsync(store, 0, new byte[100], key: new UploadKey("owner", id));
        }

        string shard = Path.Combine(StoreRoot, "uploads", "owner", "aa");
        File.WriteAllText(Path.Combine(shard, "aa2", "record.json"), "{\"format\":99}\n");
        File.WriteAllText(Path.Combine(shard, "aa4", "record.json"), "");
        files.Unreadable = Path.Combine(shard, "aa3", "record.json");
        var query = new UploadQuery { Owner = "owner", IncludeUnreadable = true };

        // A damaged record is in quarantine after that.
        Assert.Equal(
            [("aa1", 100, false), ("aa2", 100, true), ("aa3", 100, true)],
            await store.ListAsync(query, None).Select(static info => (info.Key.Id, (int)info.Offset, info.IsUnreadable)).ToListAsync(None));
        Assert.Equal([new UploadKey("owner", "aa1")], await ListAsync(store, query with { IncludeUnreadable = false }));
        files.HidesNames = true;
        await Assert.ThrowsAsync<UploadStoreException>(() => ListAsync(store, query));
    }

    [Fact]
    public async Task Unreadable_upload_is_kept_and_logged_once_until_it_is_readable()
    {
        var files = new UnreadableRecordFiles();
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash, files: files);
        await CreateAsync(store);
        string directory = Assert.Single(Directory.GetDirectories(Path.Combine(StoreRoot, "uploads"), Key.Id, SearchOption.AllDirectories));
        string record = Path.Combine(directory, "record.json");
        for (int times = 1; times <= 2; times++)
        {
            files.Unreadable = record;
            for (int i = 0; i < 3; i++)
            {
                Time.Advance(TimeSpan.FromDays(30));
                Assert.Empty(await ListAsync(store, new UploadQuery()));
                await store.CleanUpAsync(None);
            }

            Assert.Equal(times, Logs.Lines.Count(line => line.Id == 109 && line.Text.Contains(directory, StringComparison.Ordinal)));
            files.Unreadable = null;
            Assert.Equal([Key], await ListAsync(store, new UploadQuery()));
        }
    }

    [Fact]
    public async Task List_fails_if_the_store_itself_cannot_be_read()
    {
        FileSystemUploadStore store = NewStore(files: new UnreadableDirectoryFiles("uploads"));
        await CreateAsync(store);
        await Assert.ThrowsAsync<UploadStoreException>(() => ListAsync(store, new UploadQuery()));
    }

    [Fact]
    public async Task List_skips_uploads_that_are_deleted_meanwhile()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        for (int i = 0; i < 10; i++)
        {
            await CreateAsync(store, new UploadKey("owner", "aa" + i));
        }

        var seen = new List<string>();
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery(), None))
        {
            seen.Add(info.Key.Id);
            await store.DeleteAsync(new UploadKey("owner", "aa" + (int.Parse(info.Key.Id[2..]) + 1)), null, None);
        }

        Assert.Equal(["aa0", "aa2", "aa4", "aa6", "aa8"], seen);
    }

    [Fact]
    public async Task List_of_a_missing_directory_is_empty() =>
        Assert.Empty(await ListAsync(NewStore(), new UploadQuery()));

    [Fact]
    public async Task CleanUp_removes_only_abandoned_directories_and_trash()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store);
        string old = CreateDirectory("temp", "old", TimeSpan.FromMinutes(61));
        string young = CreateDirectory("temp", "young", TimeSpan.FromMinutes(59));
        string oldInGroup = CreateDirectory(Path.Combine("temp", "a"), "old", TimeSpan.FromMinutes(61));
        string youngInGroup = CreateDirectory(Path.Combine("temp", "a"), "young", TimeSpan.FromMinutes(59));
        Directory.SetLastWriteTimeUtc(Path.Combine(StoreRoot, "temp", "a"), Time.GetUtcNow().UtcDateTime.AddDays(-1));
        string trash = CreateDirectory("trash", "any", TimeSpan.Zero);
        string quarantine = CreateDirectory("quarantine", "any", TimeSpan.FromDays(900));

        await store.CleanUpAsync(None);

        Assert.False(Directory.Exists(old));
        Assert.True(Directory.Exists(young));
        Assert.False(Directory.Exists(oldInGroup));
        Assert.True(Directory.Exists(youngInGroup));
        Assert.False(Directory.Exists(trash));
        Assert.True(Directory.Exists(quarantine));
        Assert.NotNull(await store.GetAsync(Key, None));
    }

    [Fact]
    public async Task List_deletes_empty_directories()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store);
        foreach (UploadKey gone in (UploadKey[])[new("owner", "zz"), new("other", "aa"), new("other", "zz")])
        {
            await CreateAsync(store, gone);
            await store.DeleteAsync(gone, null, None);
        }

        Assert.Equal([Key], await ListAsync(store, new UploadQuery { StartAfter = new UploadKey("other", "aa") }));
        Assert.Equal([Key], await ListAsync(store, new UploadQuery()));

        Assert.Equal(["owner"], Directory.GetDirectories(Path.Combine(StoreRoot, "uploads")).Select(Path.GetFileName));
        Assert.Equal(["up"], Directory.GetDirectories(Path.Combine(StoreRoot, "uploads", "owner")).Select(Path.GetFileName));
        Assert.NotNull(await store.GetAsync(Key, None));
    }

    [Fact]
    public async Task CleanUp_of_a_missing_directory_does_nothing()
    {
        await NewStore().CleanUpAsync(None);
        Assert.False(Directory.Exists(StoreRoot));
    }

    [Fact]
    public async Task CleanUp_finishes_a_delete_that_could_not_remove_the_files()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store);
        Files.Before = (step, path) =>
        {
            if (step == "delete-directory")
            {
                throw FaultyFiles.Error(5);
            }
        };
        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, null, None)).Status);
        Assert.Null(await store.GetAsync(Key, None));
        Assert.Single(Directory.GetDirectories(Path.Combine(StoreRoot, "trash")));

        Files.Before = null;
        await store.CleanUpAsync(None);
        Assert.Empty(Directory.GetDirectories(Path.Combine(StoreRoot, "trash")));
    }

    private static async Task<List<UploadKey>> ListAsync(FileSystemUploadStore store, UploadQuery query) =>
        await store.ListAsync(query, None).Select(info => info.Key).ToListAsync(None);

    private string CreateDirectory(string parent, string name, TimeSpan age)
    {
        string directory = Path.Combine(StoreRoot, parent, name);
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "file"), "");
        Directory.SetLastWriteTimeUtc(directory, Time.GetUtcNow().UtcDateTime - age);
        return directory;
    }

    private sealed class UnreadableDirectoryFiles(string directory) : DelegatingFileLayer
    {
        public override List<string> GetDirectoryNames(string path, string? after, int count) =>
            path.EndsWith("/" + directory, StringComparison.Ordinal) ? throw FaultyFiles.Error(5) : base.GetDirectoryNames(path, after, count);
    }

    private sealed class UnreadableRecordFiles : DelegatingFileLayer
    {
        public string? Unreadable { get; set; }

        public bool HidesNames { get; set; }

        public override FileSnapshot? ReadSnapshot(string path, int maxLength) =>
            path == Unreadable ? throw FaultyFiles.Error(5) : base.ReadSnapshot(path, maxLength);

        public override List<string> GetFileNames(string path) => HidesNames ? throw FaultyFiles.Error(24) : base.GetFileNames(path);
    }
}

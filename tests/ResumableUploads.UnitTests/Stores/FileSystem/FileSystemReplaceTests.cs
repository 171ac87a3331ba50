using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

public class FileSystemReplaceTests : FileSystemStoreTest
{
    private static readonly UploadKey NewKey = new("owner", "new");

    [Theory]
    [InlineData("replace", "record.json")]
    [InlineData("sync-directory", "ne")]
    [InlineData("sync-directory", "upload-1")]
    [InlineData("rename", ".lock")]
    public async Task Replacement_that_fails_leaves_only_the_old_upload(string step, string ending)
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(100));
        UploadInfo old = await GetAsync(store);
        UploadInfo replacement = await CreateNewAsync(store, 300);
        string[] before = FileNames();
        Files.Before = (name, path) =>
        {
            if (name == step && path.EndsWith(ending, StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(28);
            }
        };

        UploadStoreException failure = await Assert.ThrowsAsync<UploadStoreException>(
            () => store.ReplaceAsync(Key, old.Version, NewKey, replacement.Version, None).AsTask());

        Files.Before = null;
        Assert.Equal(StoreFailure.Full, failure.Failure);
        Assert.Equal(Bytes(100), await ReadAsync(store));
        Assert.Equal(before, FileNames());
        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Replacement_that_fails_after_its_record_was_written_keeps_the_new_content()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        UploadInfo old = await GetAsync(store);
        UploadInfo replacement = await CreateNewAsync(store, 300);
        Files.After = (name, _) =>
        {
            if (name == "replace")
            {
                throw FaultyFiles.Error(5);
            }
        };

        await Assert.ThrowsAsync<UploadStoreException>(
            () => store.ReplaceAsync(Key, old.Version, NewKey, replacement.Version, None).AsTask());

        Files.After = null;
        Assert.Equal(Bytes(300), await ReadAsync(store));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Response_before_a_replacement_that_failed_does_not_replace_a_later_one(bool isOfEarlierBuild)
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo old = await ReceiveAsync(store, Bytes(100));
        old = (await store.CompleteAsync(Key, old.Version, new UploadRecord { State = UploadState.Completed }, Bytes(20_000), None)).Info!;
        if (isOfEarlierBuild)
        {
            string record = TheFile("record.json");
            StoredRecord stored = RecordCodec.Decode(File.ReadAllBytes(record)).Record!;
            File.WriteAllBytes(record, RecordCodec.Encode(stored with { ResponseFileName = StorePaths.LegacyResponseFileName }).Span);
            File.Move(TheFile(".outcome"), Path.Combine(UploadDirectory, StorePaths.LegacyResponseFileName));
        }

        UploadInfo replacement = await CreateNewAsync(store, 300);
        Files.Before = static (name, path) =>
        {
            if (name == "replace" && path.EndsWith("record.json", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(28);
            }
        };
        await Assert.ThrowsAsync<UploadStoreException>(() => store.ReplaceAsync(Key, old.Version, NewKey, replacement.Version, None).AsTask());
        Files.Before = null;
        Assert.Equal(Bytes(20_000), (await store.GetResponseAsync(Key, None))?.ToArray());
        Assert.Equal(isOfEarlierBuild, File.Exists(Path.ChangeExtension(TheFile(".data"), ".outcome")));

        await store.CompleteAsync(Key, old.Version, new UploadRecord { State = UploadState.Completed }, Bytes(20), None);
        Assert.Equal(Bytes(20), (await store.GetResponseAsync(Key, None))?.ToArray());
    }

    [Fact]
    public async Task Replacement_deletes_what_earlier_ones_left_behind()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        string old = Path.GetFileNameWithoutExtension(TheFile(".data"));
        string crashed = new('a', old.Length);
        foreach (string name in (string[])[old + ".move", crashed + ".data", crashed + ".lock", crashed + ".outcome"])
        {
            File.WriteAllText(Path.Combine(UploadDirectory, name), "");
        }

        await store.CompleteAsync(Key, Bytes(100_000));
        UploadInfo replacement = await CreateNewAsync(store, 300);
        UpdateResult result = await store.ReplaceAsync(Key, (await GetAsync(store)).Version, NewKey, replacement.Version, None);

        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        Assert.Empty(Halves(StoreRoot));
        string nonce = Path.GetFileNameWithoutExtension(TheFile(".data"));
        Assert.Equal([nonce + ".data", nonce + ".lock", nonce + ".mark", "record.json"], FileNames());
        Assert.Equal(Bytes(300), await ReadAsync(store));
    }

    [Fact]
    public async Task CleanUp_during_a_replacement_keeps_an_upload_that_took_hours()
    {
        Time.SetUtcNow(TimeProvider.System.GetUtcNow());
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore other = NewStore(files: new DelegatingFileLayer());
        await CreateAsync(store);
        UploadInfo replacement = await CreateNewAsync(store, 300);
        Time.Advance(TimeSpan.FromHours(3));
        Exception? failure = null;
        Files.After = (name, path) =>
        {
            if (name == "rename-directory" && path.Contains("temp", StringComparison.Ordinal))
            {
                failure = Record.Exception(() => other.CleanUpAsync(None).AsTask().GetAwaiter().GetResult());
            }
        };

        UpdateResult result = await store.ReplaceAsync(Key, (await GetAsync(store)).Version, NewKey, replacement.Version, None);

        Assert.Equal((ChangeStatus.Succeeded, null), (result.Status, failure));
        Assert.Equal(Bytes(300), await ReadAsync(store));
    }

    private static async Task<UploadInfo> CreateNewAsync(FileSystemUploadStore store, int length)
    {
        await CreateAsync(store, NewKey);
        var content = new FedContent();
        await content.FeedAsync(Bytes(length));
        content.End();
        await store.AppendAsync(NewKey, 0, content, AppendMode.KeepPartial, None);
        return (await store.GetAsync(NewKey, None))!;
    }

    private string[] FileNames() => [.. Directory.GetFiles(UploadDirectory).Select(static path => Path.GetFileName(path)).Where(static name => !name.EndsWith(".tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Records;

/// <summary>Two processes use the record of an upload at the same time.</summary>
public sealed class FileSystemRecordRaceTests : FileSystemStoreTest
{
    private readonly ManualResetEventSlim _release = new();
    private readonly TaskCompletionSource _hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private string RecordPath => Path.Combine(UploadDirectory, "record.json");

    public override void Dispose()
    {
        _release.Set();
        base.Dispose();
        _release.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Change_of_an_upload_that_was_deleted_leaves_a_new_one_with_its_key_alone(bool syncFails)
    {
        var files = new HandleFiles();
        FileSystemUploadStore store = NewStore(files: files);
        UploadInfo info = await ReceiveAsync(store, Bytes(10));
        HangOnce(files, "sync", "record.json.tmp", syncFails ? FaultyFiles.Error(5) : null);
        Task<UpdateResult> update = store.UpdateAsync(Key, info.Version, info.Record, None).AsTask();
        await _hangs.Task.WaitAsync(TestTimeout, None);

        // The temporary file of the new upload is its last durable record.
        FileSystemUploadStore other = NewStore(files: new FaultyFiles());
        await other.DeleteAsync(Key, null, None);
        UploadInfo created = await CreateAsync(other);
        UpdateResult deferred = await other.UpdateDeferredAsync(Key, created.Version, created.Record with { Data = new byte[] { 1 } }, None);
        byte[] record = File.ReadAllBytes(RecordPath);
        byte[] durable = File.ReadAllBytes(RecordPath + ".tmp");

        _release.Set();
        await Record.ExceptionAsync(() => update);
        Assert.Equal(record, File.ReadAllBytes(RecordPath));
        Assert.Equal(durable, File.ReadAllBytes(RecordPath + ".tmp"));
        Assert.Equal(deferred.Info!.Version, (await GetAsync(other)).Version);
    }

    [Fact]
    public async Task Reader_that_finds_a_record_repaired_by_another_process_moves_nothing()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        File.Copy(RecordPath, RecordPath + ".tmp");
        File.WriteAllText(RecordPath, "damaged");

        var files = new HandleFiles();
        int moves = 0;
        HangOnce(files, "read", "record.json.tmp", null);
        files.After = (step, _) => moves += step == "rename-directory" ? 1 : 0;
        Task<UploadInfo?> read = NewStore(files: files).GetAsync(Key, None).AsTask();
        await _hangs.Task.WaitAsync(TestTimeout, None);
        Assert.Equal(10, (await GetAsync(NewStore(files: new FaultyFiles()))).Offset);

        _release.Set();
        Assert.Equal(10, (await read)!.Offset);
        Assert.Equal(0, moves);
    }

    /// <summary>The second file is looked for after the first one, and the record is read again after both.</summary>
    [Theory]
    [InlineData("record.json.tmp")]
    [InlineData("record.json.next")]
    public async Task Reader_that_finds_a_record_repaired_by_a_newer_build_moves_nothing(string readBefore)
    {
        await CreateAsync(NewStore());
        File.WriteAllText(RecordPath, "damaged");
        int moves = 0;
        var files = new HandleFiles
        {
            Before = (step, path) =>
            {
                moves += step == "rename-directory" ? 1 : 0;
                if (step == "read" && Path.GetFileName(path) == readBefore)
                {
                    File.WriteAllText(RecordPath, "{\"format\":4}");
                }
            },
        };

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(async () => await NewStore(files: files).GetAsync(Key, None));

        Assert.Equal(StoreFailure.Unavailable, error.Failure);
        Assert.Equal(0, moves);
    }

    [Fact]
    public async Task Second_reader_of_a_damaged_record_waits_for_the_repair()
    {
        await CreateAsync(NewStore());
        File.Copy(RecordPath, RecordPath + ".tmp");
        File.WriteAllText(RecordPath, "damaged");

        var files = new HandleFiles();
        var reads = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        HangOnce(files, "replace", "record.json", null);
        FileSystemUploadStore store = NewStore(files: files);
        Task<UploadInfo?> first = store.GetAsync(Key, None).AsTask();
        await _hangs.Task.WaitAsync(TestTimeout, None);
        files.Before = (step, _) =>
        {
            if (step == "read")
            {
                reads.TrySetResult();
            }
        };
        Task<UploadInfo?> second = store.GetAsync(Key, None).AsTask();
        await reads.Task.WaitAsync(TestTimeout, None);

        _release.Set();
        Assert.Equal((await first)!.Version, (await second)!.Version);
    }

    private void HangOnce(FaultyFiles files, string step, string fileName, IOException? failure) => files.Before = (name, path) =>
    {
        if (name == step && Path.GetFileName(path) == fileName && _hangs.TrySetResult())
        {
            _release.Wait(TestTimeout);
            if (failure is not null)
            {
                throw failure;
            }
        }
    };

    /// <summary>Changes the files next to a replaced one like the real layer.</summary>
    private sealed class HandleFiles : FaultyFiles
    {
        public override byte[]? ReadFile(string path, int maxLength)
        {
            Before?.Invoke("read", path);
            return base.ReadFile(path, maxLength);
        }

        public override OpenFile OpenSibling(ReplacedFile replaced, string name) => Default.OpenSibling(replaced, name);

        public override void DeleteSibling(ReplacedFile replaced, string name) => Default.DeleteSibling(replaced, name);

        public override void ExchangeSiblings(ReplacedFile replaced, string first, string second) => Default.ExchangeSiblings(replaced, first, second);
    }
}

using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Records;

/// <summary>Another process deletes an upload and creates one with the same key between two steps of a call.</summary>
public sealed class ReusedKeyTests : FileSystemStoreTest
{
    private static readonly UploadKey NewKey = new("owner", "new");

    private readonly FileSystemUploadStore _other;
    private UploadInfo? _created;

    public ReusedKeyTests() => _other = NewStore(files: new FaultyFiles());

    private string RecordPath => Path.Combine(UploadDirectory, "record.json");

    [Fact]
    public async Task Replacement_of_a_deleted_upload_changes_neither_the_next_one_nor_itself()
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo old = await CreateAsync(store);
        UploadInfo replacement = await CreateNewAsync(300);
        ReuseKeyAt(static (step, path) => step == "sync-directory" && path.EndsWith("ne", StringComparison.Ordinal));
        Assert.Equal(new UpdateResult(ChangeStatus.NotFound, null), await store.ReplaceAsync(Key, old.Version, NewKey, replacement.Version, None));
        await ShouldBeCreatedOneAsync();
        Assert.Equal((replacement.Version, 300L), ((await _other.GetAsync(NewKey, None))!.Version, (await _other.GetAsync(NewKey, None))!.Offset));
        Assert.Equal(5, Directory.GetFiles(UploadDirectory).Length);
        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Replacement_of_an_upload_deleted_during_the_move_keeps_the_next_one()
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo old = await CreateAsync(store);
        UploadInfo replacement = await CreateNewAsync(300);
        ReuseKeyAt(static (step, path) => step == "rename" && path.EndsWith(".mark", StringComparison.Ordinal));
        Assert.Equal(new UpdateResult(ChangeStatus.NotFound, null), await store.ReplaceAsync(Key, old.Version, NewKey, replacement.Version, None));
        await ShouldBeCreatedOneAsync();
        Assert.Equal(replacement.Version, (await _other.GetAsync(NewKey, None))!.Version);
    }

    [Fact]
    public async Task Replacement_that_was_deleted_leaves_the_next_upload_with_its_key_alone()
    {
        FileSystemUploadStore store = NewStore();
        await CreateNewAsync(300);
        UploadInfo target = (await _other.GetAsync(NewKey, None))!;
        UploadInfo replacement = await CreateAsync(store);
        ReuseKeyAt(static (step, _) => step == "rename-directory");
        Assert.Equal(ChangeStatus.VersionMismatch, (await store.ReplaceAsync(NewKey, target.Version, Key, replacement.Version, None)).Status);
        await ShouldBeCreatedOneAsync();
        Assert.Equal(target.Version, (await _other.GetAsync(NewKey, None))!.Version);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Delete_with_a_version_keeps_the_next_upload(bool isShardDeleted)
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo info = await CreateAsync(store);
        ReuseKeyAt(static (step, _) => step == "rename-directory");
        DeleteShardAfter(isShardDeleted ? "temp" : "none");
        Assert.Equal(ChangeStatus.VersionMismatch, (await store.DeleteAsync(Key, info.Version, None)).Status);
        await ShouldBeCreatedOneAsync();
        Assert.Empty(Directory.GetDirectories(Path.Combine(StoreRoot, "trash")));
    }

    [Fact]
    public async Task Delete_with_a_version_of_an_old_upload_is_not_disturbed_by_a_cleanup()
    {
        Time.SetUtcNow(TimeProvider.System.GetUtcNow());
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore cleaner = NewStore(files: new FaultyFiles());
        UploadInfo info = await CreateAsync(store);
        Time.Advance(TimeSpan.FromHours(3));
        Files.After = (step, path) =>
        {
            if (step == "rename-directory")
            {
                Files.After = null;
                cleaner.CleanUpAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }
        };
        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, info.Version, None)).Status);
        Assert.Null(await _other.GetAsync(Key, None));
        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Creation_that_hung_for_hours_gets_no_part_of_a_directory_that_a_cleanup_deletes()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store, NewKey);
        Time.SetUtcNow(TimeProvider.System.GetUtcNow().AddHours(2));
        FileSystemUploadStore cleaner = NewStore(files: new StoppedCleaner());
        Files.Before = (step, path) =>
        {
            if (step == "rename-directory")
            {
                Files.Before = null;
                cleaner.CleanUpAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }
        };
        Assert.IsType<UploadStoreException>(await Record.ExceptionAsync(() => CreateAsync(store)));
        Assert.Null(await _other.GetAsync(Key, None));
        Assert.False(Directory.Exists(UploadDirectory));
    }

    [Theory]
    [InlineData("listing")]
    [InlineData("error")]
    public async Task Intact_upload_that_was_moved_to_quarantine_is_moved_back(string fault)
    {
        var files = new UnreadableQuarantine { IsBroken = fault == "error" };
        FileSystemUploadStore store = NewStore(files: files);
        await CreateAsync(store);
        File.WriteAllText(RecordPath, "damaged");
        ReuseKeyAt(static (step, path) => step == "rename-directory" && path.Contains("quarantine", StringComparison.Ordinal), files);
        DeleteShardAfter(fault == "listing" ? "quarantine" : "none", files);
        Exception? failure = await Record.ExceptionAsync(async () => await store.GetAsync(Key, None));
        Assert.Equal(fault == "error", failure is UploadStoreException);
        await ShouldBeCreatedOneAsync();
        Assert.Empty(Directory.GetDirectories(Path.Combine(StoreRoot, "quarantine")));
    }

    [Fact]
    public async Task Creation_does_not_make_a_deferred_change_of_another_process_durable()
    {
        FileSystemUploadStore store = NewStore();
        Files.After = (step, path) =>
        {
            if (step == "rename-directory" && path == UploadDirectory)
            {
                Files.After = null;
                UploadInfo info = _other.GetUnsyncedAsync(Key, CancellationToken.None).AsTask().GetAwaiter().GetResult()!;
                _other.UpdateDeferredAsync(Key, info.Version, new UploadRecord { Length = 5 }, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }
        };
        await CreateAsync(store);
        Assert.Equal(5, (await _other.GetUnsyncedAsync(Key, None))!.Length);
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(RecordPath));
    }

    [Theory]
    [InlineData(AppendMode.AllOrNothing)]
    [InlineData(AppendMode.KeepPartial)]
    public async Task Lock_file_in_the_directory_of_the_next_upload_does_not_make_it_the_earlier_one(AppendMode mode)
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo info = await CreateAsync(store);
        string lockName = Path.GetFileName(TheFile(".lock"));
        var content = new FinalContent();
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Files.After = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                written.TrySetResult();
            }
        };
        Task<AppendResult> append = store.AppendAsync(Key, 0, content, mode, None).AsTask();
        await content.FeedAsync(Bytes(100));
        await written.Task.WaitAsync(TestTimeout, None);
        Reuse();
        File.WriteAllText(Path.Combine(UploadDirectory, lockName), "");

        content.End();
        Assert.Equal(AppendStatus.NotFound, (await append.WaitAsync(TestTimeout, None)).Status);
        await ShouldBeCreatedOneAsync();
        Assert.NotEqual(info.Version, _created!.Version);
    }

    [Fact]
    public async Task Lock_file_of_a_deleted_upload_is_not_restored_next_to_the_next_one()
    {
        var files = new LockHook();
        FileSystemUploadStore store = NewStore(files: files);
        UploadInfo info = await CreateAsync(store);
        string lockName = Path.GetFileName(TheFile(".lock"));
        files.BeforeLock = () =>
        {
            files.BeforeLock = null;
            Reuse();
        };
        Assert.Equal(ChangeStatus.VersionMismatch, (await store.UpdateAsync(Key, info.Version, info.Record, None)).Status);
        Assert.False(File.Exists(Path.Combine(UploadDirectory, lockName)));
        await ShouldBeCreatedOneAsync();
    }

    private async Task<UploadInfo> CreateNewAsync(int length)
    {
        await CreateAsync(_other, NewKey);
        await AppendAsync(_other, 0, Bytes(length), key: NewKey);
        return (await _other.GetAsync(NewKey, None))!;
    }

    private void ReuseKeyAt(Func<string, string, bool> isStep, FaultyFiles? files = null) => (files ?? Files).Before = (step, path) =>
    {
        if (isStep(step, path))
        {
            (files ?? Files).Before = null;
            Reuse();
        }
    };

    /// <summary>Deletes the empty directory above the upload, as a listing of another process does.</summary>
    private void DeleteShardAfter(string directory, FaultyFiles? files = null) => (files ?? Files).After = (step, path) =>
    {
        if (step == "rename-directory" && path.Contains(directory, StringComparison.Ordinal))
        {
            (files ?? Files).After = null;
            Directory.Delete(Path.GetDirectoryName(UploadDirectory)!);
        }
    };

    /// <summary>Deletes the upload, and creates another one with its key, with bytes and a response.</summary>
    private void Reuse() => Task.Run(async () =>
    {
        Assert.Equal(ChangeStatus.Succeeded, (await _other.DeleteAsync(Key, null, CancellationToken.None)).Status);
        await CreateAsync(_other);
        await AppendAsync(_other, 0, Bytes(20, seed: 2));
        UploadInfo created = await GetAsync(_other);
        _created = (await _other.CompleteAsync(Key, created.Version, new UploadRecord { State = UploadState.Completed }, Bytes(20_000, seed: 3), CancellationToken.None)).Info;
    }).GetAwaiter().GetResult();

    private async Task ShouldBeCreatedOneAsync()
    {
        Assert.NotNull(_created);
        Assert.Equal(_created.Version, (await GetAsync(_other)).Version);
        Assert.Equal(Bytes(20, seed: 2), await ReadAsync(_other));
        Assert.Equal(Bytes(20_000, seed: 3), (await _other.GetResponseAsync(Key, None))?.ToArray());
    }

    private sealed class LockHook : FaultyFiles
    {
        public Action? BeforeLock { get; set; }

        public override OpenFile? TryLock(string path)
        {
            BeforeLock?.Invoke();
            return base.TryLock(path);
        }
    }

    /// <summary>Stops after the first file of a directory that it deletes.</summary>
    private sealed class StoppedCleaner : FaultyFiles
    {
        public override void DeleteDirectory(string path, bool recursive)
        {
            foreach (string file in Directory.EnumerateFiles(path, "*.data"))
            {
                File.Delete(file);
            }
        }
    }

    private sealed class UnreadableQuarantine : FaultyFiles
    {
        public bool IsBroken { get; init; }

        public override FileSnapshot? ReadSnapshot(string path, int maxLength) =>
            IsBroken && path.Contains("quarantine", StringComparison.Ordinal) ? throw Error(5) : base.ReadSnapshot(path, maxLength);
    }

    /// <summary>Content that is followed by a record, so that an append of either mode ends with a change of the record.</summary>
    private sealed class FinalContent : UploadContent
    {
        private readonly FedContent _inner = new();

        public override PipeReader Reader => _inner.Reader;

        public Task FeedAsync(byte[] bytes) => _inner.FeedAsync(bytes);

        public void End() => _inner.End();

        public override void ReportDurable(long durableOffset)
        {
        }

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(true);

        public override FinalRecord? GetFinalRecord(long offset) => new(new UploadRecord { State = UploadState.Received }, IsDeferrable: false);
    }
}

using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>Steps whose order matters only after a crash, or if another process changes the upload at the same time.</summary>
public sealed class FileSystemStepOrderTests : FileSystemStoreTest
{
    private readonly string _otherVolume = Path.Combine("/dev/shm", "ru-order-" + Guid.NewGuid().ToString("N"));
    private readonly List<string> _steps = [];

    private string Target => Path.Combine(Root, "target.bin");

    private string RecordPath => Path.Combine(UploadDirectory, "record.json");

    public override void Dispose()
    {
        if (Directory.Exists(_otherVolume))
        {
            Directory.Delete(_otherVolume, recursive: true);
        }

        base.Dispose();
    }

    [Fact]
    public async Task Other_file_of_the_same_length_is_not_taken_for_moved_content()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(100));
        Files.Before = static (step, _) =>
        {
            if (step == "rename-no-replace")
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(async () => await store.MoveAsync(Target, false, None));
        File.WriteAllBytes(Target, Bytes(100, seed: 2));

        FileSystemUploadStore next = NewStore(files: FileLayer.Default);
        Assert.Equal(MoveStatus.TargetExists, (await next.MoveAsync(Target, false, None)).Status);
        Assert.Equal(Bytes(100), await ReadAsync(next));
        Assert.Equal(Bytes(100, seed: 2), File.ReadAllBytes(Target));
    }

    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Copy_to_another_volume_is_synced_before_the_source_is_deleted(Durability durability)
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "There is no second volume.");
        Directory.CreateDirectory(_otherVolume);
        FileSystemUploadStore store = NewStore(durability);
        await ReceiveAsync(store, Bytes(100));
        RecordSteps();
        string target = Path.Combine(_otherVolume, "target");
        Assert.Equal(MoveStatus.Moved, (await store.MoveAsync(target, false, None)).Status);
        int deleted = _steps.FindIndex(static step => step.StartsWith("delete ", StringComparison.Ordinal) && step.EndsWith(".data", StringComparison.Ordinal));
        int synced = _steps.FindIndex(static step => step.StartsWith("sync ", StringComparison.Ordinal) && step.EndsWith(".part", StringComparison.Ordinal));
        int named = _steps.LastIndexOf($"rename-no-replace {target}");
        int directorySynced = _steps.IndexOf($"sync-directory {_otherVolume}", Math.Max(named, 0));
        Assert.True(synced >= 0 && synced < named && named < directorySynced && directorySynced < deleted, string.Join('\n', _steps));
    }

    [Fact]
    public async Task Copy_that_a_crash_left_behind_is_deleted_by_a_move_to_another_target()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "There is no second volume.");
        Directory.CreateDirectory(_otherVolume);
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(100));
        int renames = 0;
        Files.Before = (step, _) =>
        {
            // The first rename fails, because the target is on another volume. The second one is that of the copy.
            if (step == "rename-no-replace" && ++renames == 2)
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(async () => await store.MoveAsync(Path.Combine(_otherVolume, "target"), false, None));
        Assert.EndsWith(".part", Assert.Single(Directory.GetFiles(_otherVolume)), StringComparison.Ordinal);

        Assert.Equal(MoveStatus.Moved, (await NewStore(files: FileLayer.Default).MoveAsync(Target, false, None)).Status);
        Assert.Equal(Bytes(100), File.ReadAllBytes(Target));
        Assert.Empty(Directory.GetFiles(_otherVolume));
    }

    [Fact]
    public async Task Append_syncs_once_per_interval_and_not_for_each_segment()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        var content = new FedContent();
        int writes = 0;
        Files.After = (step, path) =>
        {
            if (step != "write" || !path.EndsWith(".data", StringComparison.Ordinal))
            {
                return;
            }

            if (++writes == 1)
            {
                Time.Advance(TimeSpan.FromSeconds(6));
            }

            if (writes == 6)
            {
                content.End();
                return;
            }

            // The pipe has no threshold, so this completes at once.
            Assert.True(content.FeedAsync(Bytes(10)).IsCompletedSuccessfully);
        };
        RecordSteps();
        await content.FeedAsync(Bytes(10));
        AppendResult result = await store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None);
        Assert.Equal((60, 6), (result.Offset, writes));
        Assert.Equal(2, _steps.Count(static step => step.StartsWith("sync ", StringComparison.Ordinal) && step.EndsWith(".data", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Canceled_staged_append_is_not_committed()
    {
        using var cancellation = new CancellationTokenSource();
        FileSystemUploadStore store = NewStore();
        UploadInfo before = await CreateAsync(store);
        var content = new FedContent
        {
            Decide = async _ =>
            {
                await cancellation.CancelAsync();
                return true;
            },
        };
        await content.FeedAsync(Bytes(10));
        content.End();
        Assert.Equal(AppendStatus.Discarded, (await store.AppendAsync(Key, 0, content, AppendMode.AllOrNothing, cancellation.Token)).Status);
        Assert.Equal((0, before.Version), ((await GetAsync(store)).Offset, (await GetAsync(store)).Version));
    }

    [Fact]
    public async Task Discarded_bytes_are_cut_off_durably_before_the_record_loses_their_offset()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        var content = new FedContent { Decide = static _ => ValueTask.FromResult(false) };
        await content.FeedAsync(Bytes(10));
        content.End();
        RecordSteps();
        Assert.Equal(AppendStatus.Discarded, (await store.AppendAsync(Key, 0, content, AppendMode.AllOrNothing, None)).Status);
        string data = TheFile(".data");
        int truncated = _steps.LastIndexOf($"truncate {data}");
        int synced = _steps.LastIndexOf($"sync {data}");
        int written = _steps.LastIndexOf($"replace {RecordPath}");
        Assert.True(truncated >= 0 && truncated < synced && synced < written, string.Join('\n', _steps));
    }

    [Fact]
    public async Task Repair_does_not_overwrite_a_record_repaired_meanwhile()
    {
        FileSystemUploadStore other = NewStore(files: FileLayer.Default);
        await CreateAsync(other, record: new UploadRecord { Data = "old"u8.ToArray() });
        File.Copy(RecordPath, RecordPath + ".tmp");
        File.WriteAllText(RecordPath, "damaged");
        var files = new LockHook();
        FileSystemUploadStore store = NewStore(files: files);
        files.BeforeLock = () =>
        {
            files.BeforeLock = null;
            UploadInfo repaired = other.GetAsync(Key, None).AsTask().GetAwaiter().GetResult()!;
            UpdateResult updated = other.UpdateAsync(Key, repaired.Version, repaired.Record with { Data = "new"u8.ToArray() }, None).AsTask().GetAwaiter().GetResult();
            Assert.Equal(ChangeStatus.Succeeded, updated.Status);
        };
        Assert.Equal("new"u8.ToArray(), (await GetAsync(store)).Record.Data.ToArray());
        Assert.Equal("new"u8.ToArray(), (await GetAsync(other)).Record.Data.ToArray());
        Assert.Null(files.BeforeLock);
    }

    [Fact]
    public async Task Content_of_an_upload_in_a_single_request_is_synced_before_it_is_visible()
    {
        FileSystemUploadStore store = NewStore();
        RecordSteps();
        await store.CreateCompletedAsync(Key, new UploadRecord { State = UploadState.Received }, new ReadOnlySequence<byte>(Bytes(10)), None);
        int synced = _steps.FindIndex(static step => step.StartsWith("sync ", StringComparison.Ordinal) && step.EndsWith(".data", StringComparison.Ordinal));
        Assert.InRange(synced, 0, _steps.IndexOf($"rename-directory {UploadDirectory}"));
    }

    [Fact]
    public async Task Upload_that_changed_before_its_lock_was_taken_is_not_changed_under_that_lock()
    {
        FileSystemUploadStore other = NewStore(files: FileLayer.Default);
        UploadInfo before = await CreateAsync(other);
        UploadKey another = new("owner", "upload-2");
        await CreateAsync(other, another);
        byte[] record = File.ReadAllBytes(RecordPath);
        byte[] anotherRecord = File.ReadAllBytes(Path.Combine(StoreRoot, "uploads", "owner", "up", "upload-2", "record.json"));

        // The record names another upload after the first lock, as if the upload had been replaced, and is restored before the second lock.
        int locks = 0;
        var files = new LockHook();
        files.BeforeLock = () => Replace(++locks == 1 ? anotherRecord : record);
        FileSystemUploadStore store = NewStore(files: files);
        UpdateResult updated = await store.UpdateAsync(Key, before.Version, before.Record with { Length = 7 }, None);
        Assert.Equal((ChangeStatus.Succeeded, 3), (updated.Status, locks));
        Assert.Equal(7, (await GetAsync(other)).Length);
    }

    private void Replace(byte[] record)
    {
        File.WriteAllBytes(RecordPath + ".new", record);
        File.Move(RecordPath + ".new", RecordPath, overwrite: true);
    }

    private void RecordSteps() => Files.Before = (step, path) => _steps.Add($"{step} {path}");

    /// <summary>Runs an action before each attempt to lock a file.</summary>
    private sealed class LockHook : DelegatingFileLayer
    {
        public Action? BeforeLock { get; set; }

        public override OpenFile? TryLock(string path)
        {
            BeforeLock?.Invoke();
            return base.TryLock(path);
        }
    }
}

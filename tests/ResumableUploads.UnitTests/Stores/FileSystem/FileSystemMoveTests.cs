using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

public class FileSystemMoveTests : FileSystemStoreTest
{
    private readonly string _otherVolume = Path.Combine("/dev/shm", "ru-move-" + Guid.NewGuid().ToString("N"));

    private string Target => Path.Combine(Root, "target.bin");

    public override void Dispose()
    {
        if (Directory.Exists(_otherVolume))
        {
            Directory.Delete(_otherVolume, recursive: true);
        }

        base.Dispose();
    }

    [Fact]
    public async Task Move_takes_the_content_and_keeps_the_record()
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo before = await ReceiveAsync(store, Bytes(100));

        Assert.Equal(new MoveResult(MoveStatus.Moved, Target), await store.MoveAsync(Target, false, None));

        Assert.Equal(Bytes(100), File.ReadAllBytes(Target));
        Assert.Null(await store.OpenReadAsync(Key, None));
        UploadInfo after = await GetAsync(store);
        Assert.Equal((100, before.Version), (after.Offset, after.Version));
        UpdateResult completed = await store.UpdateAsync(Key, before.Version, before.Record with { State = UploadState.Completed }, None);
        Assert.Equal((ChangeStatus.Succeeded, 100), (completed.Status, completed.Info!.Offset));
    }

    [Fact]
    public async Task Repeated_move_returns_the_first_target()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(100));
        await store.MoveAsync(Target, false, None);
        File.Delete(Target);

        Assert.Equal(new MoveResult(MoveStatus.Moved, Target), await store.MoveAsync(Target, false, None));
        Assert.Equal(new MoveResult(MoveStatus.Moved, Target), await store.MoveAsync(Target + "2", true, None));
    }

    [Fact]
    public async Task Move_that_ends_after_a_concurrent_one_returns_its_target()
    {
        var files = new CrossVolumeFiles();
        FileSystemUploadStore store = NewStore(files: files);
        await ReceiveAsync(store, Bytes(100));
        MoveResult first = default;
        files.BeforeMoveLock = () => first = store.MoveAsync(Target, false, None).AsTask().GetAwaiter().GetResult();

        MoveResult second = await store.MoveAsync(Target, false, None);

        Assert.Equal((new MoveResult(MoveStatus.Moved, Target), first), (first, second));
        Assert.Equal(Bytes(100), File.ReadAllBytes(Target));
        Assert.Equal([Target], Directory.GetFiles(Root));
    }

    [Fact]
    public async Task Move_to_an_existing_file_replaces_it_only_with_overwrite()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(100));
        File.WriteAllText(Target, "mine");

        Assert.Equal(new MoveResult(MoveStatus.TargetExists, null), await store.MoveAsync(Target, false, None));
        Assert.Equal("mine", File.ReadAllText(Target));
        Assert.Equal(Bytes(100), await ReadAsync(store));

        Assert.Equal(new MoveResult(MoveStatus.Moved, Target), await store.MoveAsync(Target, true, None));
        Assert.Equal(Bytes(100), File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task Move_to_a_file_created_at_the_last_moment_returns_target_exists()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(100));
        Files.Before = (step, path) =>
        {
            if (step == "rename-no-replace")
            {
                // The same bytes, to show that only a recorded target counts as an earlier move.
                File.WriteAllBytes(Target, Bytes(100));
            }
        };

        Assert.Equal(MoveStatus.TargetExists, (await store.MoveAsync(Target, false, None)).Status);
        Assert.Equal(MoveStatus.TargetExists, (await store.MoveAsync(Target, false, None)).Status);
        Assert.Equal(Bytes(100), await ReadAsync(store));
    }

    [Fact]
    public async Task Move_of_a_receiving_locked_or_missing_upload_is_refused()
    {
        FileSystemUploadStore store = NewStore();
        Assert.Equal(MoveStatus.NotFound, (await store.MoveAsync(Target, false, None)).Status);
        await CreateAsync(store);
        Assert.Equal(MoveStatus.Busy, (await store.MoveAsync(Target, false, None)).Status);
        await store.DeleteAsync(Key, null, None);
        await ReceiveAsync(store, Bytes(1));
        using (FileLayer.Default.TryLock(TheFile(".lock")))
        {
            Assert.Equal(MoveStatus.Busy, (await store.MoveAsync(Target, false, None)).Status);
        }

        Assert.False(File.Exists(Target));
    }

    [Fact]
    public async Task Move_to_a_missing_directory_keeps_the_content()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(10));

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(
            async () => await store.MoveAsync(Path.Combine(Root, "missing", "file"), false, None));

        Assert.Contains("missing", error.Message, StringComparison.Ordinal);
        Assert.Equal(Bytes(10), await ReadAsync(store));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.MoveAsync("relative", false, None));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Move_can_be_repeated_after_a_crash_at_any_step(bool overwrite)
    {
        await CrashAtEachStepAsync(Target, overwrite);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Move_to_another_volume_can_be_repeated_after_a_crash_at_any_step(bool overwrite)
    {
        RequireOtherVolume();
        await CrashAtEachStepAsync(Path.Combine(_otherVolume, "target.bin"), overwrite);
        Assert.Empty(Directory.GetFiles(_otherVolume));
    }

    [Fact]
    public async Task Move_to_another_volume_does_not_replace_a_file()
    {
        RequireOtherVolume();
        FileSystemUploadStore store = NewStore();
        byte[] bytes = Bytes(1_000_000);
        await ReceiveAsync(store, bytes);
        string target = Path.Combine(_otherVolume, "target.bin");
        Files.Before = (step, path) =>
        {
            if (step == "rename-no-replace" && File.Exists(Path.Combine(_otherVolume, "." + Path.GetFileNameWithoutExtension(TheFile(".data")) + ".part")))
            {
                // The same bytes, to show that only a recorded target counts as an earlier move.
                File.WriteAllBytes(target, bytes);
            }
        };

        Assert.Equal(MoveStatus.TargetExists, (await store.MoveAsync(target, false, None)).Status);
        Assert.Equal(MoveStatus.TargetExists, (await store.MoveAsync(target, false, None)).Status);
        Assert.Equal([target], Directory.GetFiles(_otherVolume));
        Assert.Equal(bytes, await ReadAsync(store));
    }

    [Fact]
    public async Task Cancelled_move_to_another_volume_keeps_the_content()
    {
        RequireOtherVolume();
        FileSystemUploadStore store = NewStore();
        byte[] bytes = Bytes(1_000_000);
        await ReceiveAsync(store, bytes);
        using var cancellation = new CancellationTokenSource();
        Files.Before = (step, path) =>
        {
            if (path.EndsWith(".part", StringComparison.Ordinal) && step == "write")
            {
                cancellation.Cancel();
            }
        };
        string target = Path.Combine(_otherVolume, "target.bin");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.MoveAsync(target, false, cancellation.Token));

        Assert.Empty(Directory.GetFiles(_otherVolume));
        Assert.Equal(bytes, await ReadAsync(store));
        Files.Before = null;
        Assert.Equal(MoveStatus.Moved, (await store.MoveAsync(target, false, None)).Status);
        Assert.Equal(bytes, File.ReadAllBytes(target));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Record_can_be_updated_during_a_copy_or_comparison_on_another_volume(bool isComparison)
    {
        RequireOtherVolume();
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore otherProcess = NewStore(files: new FaultyFiles());
        byte[] bytes = Bytes(1_000_000);
        UploadInfo info = await ReceiveAsync(store, bytes);
        string target = Path.Combine(_otherVolume, "target.bin");
        if (isComparison)
        {
            // A crash after the copy got its name and before the source was deleted.
            var crashing = new FaultyFiles();
            crashing.Before = static (step, path) =>
            {
                if (step == "delete" && path.EndsWith(".data", StringComparison.Ordinal))
                {
                    throw new ProcessDied();
                }
            };
            await Assert.ThrowsAsync<ProcessDied>(async () => await NewStore(files: crashing).MoveAsync(target, false, None));
        }

        var updates = new List<ChangeStatus>();
        Files.Before = (step, path) =>
        {
            if (isComparison ? step == "stat" && path == target : step == "write" && path.EndsWith(".part", StringComparison.Ordinal))
            {
                UpdateResult update = otherProcess.UpdateAsync(Key, info.Version, info.Record, None).AsTask().GetAwaiter().GetResult();
                updates.Add(update.Status);
                info = update.Info ?? info;
            }
        };
        Assert.Equal(new MoveResult(MoveStatus.Moved, target), await store.MoveAsync(target, false, None));
        Assert.Contains(ChangeStatus.Succeeded, updates);
        Assert.True(isComparison || updates.TrueForAll(static status => status == ChangeStatus.Succeeded));
        Assert.Equal(bytes, File.ReadAllBytes(target));
        Assert.Equal([target], Directory.GetFiles(_otherVolume));
        Assert.Equal(info.Version, (await GetAsync(store)).Version);
        Assert.Equal(new MoveResult(MoveStatus.Moved, target), await store.MoveAsync(target, false, None));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Upload_deleted_during_a_copy_to_another_volume_is_not_moved(bool isCreatedAgain)
    {
        RequireOtherVolume();
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore otherProcess = NewStore(files: new FaultyFiles());
        await ReceiveAsync(store, Bytes(1_000_000));
        string target = Path.Combine(_otherVolume, "target.bin");
        Files.Before = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".part", StringComparison.Ordinal))
            {
                Files.Before = null;
                otherProcess.DeleteAsync(Key, null, None).AsTask().GetAwaiter().GetResult();
                if (isCreatedAgain)
                {
                    ReceiveAsync(otherProcess, Bytes(10)).GetAwaiter().GetResult();
                }
            }
        };
        Assert.Equal(MoveStatus.NotFound, (await store.MoveAsync(target, false, None)).Status);
        Assert.Empty(Directory.GetFiles(_otherVolume));
        Assert.Equal(isCreatedAgain ? 10 : null, (await store.GetAsync(Key, None))?.Offset);
    }

    [Fact]
    public async Task Second_copy_of_one_upload_is_refused_while_the_first_runs()
    {
        RequireOtherVolume();
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore otherProcess = NewStore(files: new FaultyFiles());
        byte[] bytes = Bytes(1_000_000);
        await ReceiveAsync(store, bytes);
        string target = Path.Combine(_otherVolume, "target.bin");
        var others = new List<MoveStatus>();
        Files.Before = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".part", StringComparison.Ordinal))
            {
                others.Add(otherProcess.MoveAsync(target, false, None).AsTask().GetAwaiter().GetResult().Status);
            }
        };
        Assert.Equal(MoveStatus.Moved, (await store.MoveAsync(target, false, None)).Status);
        Assert.NotEmpty(others);
        Assert.All(others, static status => Assert.Equal(MoveStatus.Busy, status));
        Assert.Equal(bytes, File.ReadAllBytes(target));
    }

    private async Task CrashAtEachStepAsync(string target, bool overwrite)
    {
        byte[] bytes = Bytes(300_000);
        bool finished = false;
        int crashes = 0;
        for (int at = 0; !finished && at < 100; at++)
        {
            FileSystemUploadStore setUp = NewStore(files: new FaultyFiles());
            await ReceiveAsync(setUp, bytes);
            var files = new FaultyFiles();
            int step = 0;
            files.Before = files.After = (_, _) =>
            {
                if (step++ == at)
                {
                    throw new ProcessDied();
                }
            };
            try
            {
                await NewStore(files: files).MoveAsync(target, overwrite, None);
                finished = true;
            }
            catch (ProcessDied)
            {
                crashes++;
            }

            FileSystemUploadStore after = NewStore(files: new FaultyFiles());
            Assert.Equal(new MoveResult(MoveStatus.Moved, target), await after.MoveAsync(target, overwrite, None));
            Assert.Equal(bytes, File.ReadAllBytes(target));
            Assert.Empty(Directory.GetFiles(UploadDirectory, "*.data"));
            Assert.Equal(300_000, (await GetAsync(after)).Offset);
            Assert.Single(Directory.GetFiles(Path.GetDirectoryName(target)!));
            File.Delete(target);
            await after.DeleteAsync(Key, null, None);
        }

        Assert.True(finished && crashes >= 6, $"{crashes} crashes");
    }

    private void RequireOtherVolume()
    {
        if (!Directory.Exists("/dev/shm"))
        {
            Assert.Skip("There is no second volume on this machine.");
        }

        Directory.CreateDirectory(_otherVolume);
        string probe = Path.Combine(Root, "probe");
        File.WriteAllText(probe, "");
        try
        {
            FileLayer.Default.RenameFile(probe, Path.Combine(_otherVolume, "probe"));
        }
        catch (IOException e) when (e.HResult == NativeMethods.EXDEV)
        {
            return;
        }

        Assert.Skip("The second volume is the same as the first.");
    }

    /// <summary>Reports that the target is on another volume, so that the content is copied.</summary>
    private sealed class CrossVolumeFiles : DelegatingFileLayer
    {
        private Action? _beforeMoveLock;

        public Action BeforeMoveLock
        {
            set => _beforeMoveLock = value;
        }

        public override bool RenameFileNoReplace(string from, string to) =>
            from.EndsWith(".data", StringComparison.Ordinal) ? throw new IOException("cross-device", 18) : base.RenameFileNoReplace(from, to);

        public override OpenFile? TryLock(string path)
        {
            if (path.EndsWith(".move", StringComparison.Ordinal))
            {
                Interlocked.Exchange(ref _beforeMoveLock, null)?.Invoke();
            }

            return base.TryLock(path);
        }
    }
}

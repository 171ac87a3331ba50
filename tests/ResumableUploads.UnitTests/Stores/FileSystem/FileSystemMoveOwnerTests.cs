using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>A repeated move tells its own file at the target from an equal one of another upload.</summary>
public class FileSystemMoveOwnerTests : FileSystemStoreTest
{
    private string Target => Path.Combine(Root, "target.bin");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Equal_file_of_another_upload_is_not_taken_after_a_crash_at_any_step(bool isOtherVolume)
    {
        byte[] bytes = Bytes(1000);
        int foreign = 0;
        bool isFinished = false;
        for (int at = 0; !isFinished && at < 100; at++)
        {
            await ReceiveAsync(NewStore(files: new FaultyFiles()), bytes);
            isFinished = await MoveAndCrashAsync(at, isOtherVolume);
            FileSystemUploadStore next = NewStore(files: CreateFiles(isOtherVolume));
            if (File.Exists(Target))
            {
                Assert.Equal(new MoveResult(MoveStatus.Moved, Target), await next.MoveAsync(Target, false, None));
            }
            else
            {
                foreign++;
                File.WriteAllBytes(Target, bytes);
                Assert.Equal(MoveStatus.TargetExists, (await next.MoveAsync(Target, false, None)).Status);
                Assert.Equal(bytes, await ReadAsync(next));
                Assert.Equal(new MoveResult(MoveStatus.Moved, Target + "2"), await next.MoveAsync(Target + "2", false, None));
                Assert.Equal(bytes, File.ReadAllBytes(Target + "2"));
                File.Delete(Target + "2");
            }

            Assert.Equal([Target], Directory.GetFiles(Root));
            Assert.Equal(bytes, File.ReadAllBytes(Target));
            Assert.Empty(Directory.GetFiles(UploadDirectory, "*.data"));
            File.Delete(Target);
            await next.DeleteAsync(Key, null, None);
        }

        Assert.True(isFinished && foreign >= 3, $"{foreign} crashes before the rename");
    }

    /// <summary>Another upload creates the file just before the rename, and the process dies before it has recorded that its own copy is missing.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Equal_file_created_before_the_rename_is_not_taken_after_a_crash(bool isOtherVolume)
    {
        byte[] bytes = Bytes(1000);
        await ReceiveAsync(NewStore(files: new FaultyFiles()), bytes);
        FaultyFiles files = CreateFiles(isOtherVolume);
        files.Before = (step, path) =>
        {
            if (step == "rename-no-replace" && path == Target)
            {
                File.WriteAllBytes(Target, bytes);
                files.Before = static (_, _) => throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(async () => await NewStore(files: files).MoveAsync(Target, false, None));

        FileSystemUploadStore next = NewStore(files: CreateFiles(isOtherVolume));
        Assert.Equal(MoveStatus.TargetExists, (await next.MoveAsync(Target, false, None)).Status);
        Assert.Equal(bytes, await ReadAsync(next));
    }

    [Fact]
    public async Task Published_copy_that_was_replaced_is_not_taken()
    {
        await ReceiveAsync(NewStore(files: new FaultyFiles()), Bytes(1000));
        FaultyFiles files = CreateFiles(isOtherVolume: true);
        files.Before = static (step, path) =>
        {
            if (step == "delete" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(async () => await NewStore(files: files).MoveAsync(Target, false, None));
        File.WriteAllBytes(Target, Bytes(1000, seed: 2));

        FileSystemUploadStore next = NewStore(files: CreateFiles(isOtherVolume: true));
        Assert.Equal(MoveStatus.TargetExists, (await next.MoveAsync(Target, false, None)).Status);
        Assert.Equal(new MoveResult(MoveStatus.Moved, Target + "2"), await next.MoveAsync(Target + "2", false, None));
        Assert.Equal(Bytes(1000, seed: 2), File.ReadAllBytes(Target));
        Assert.Equal(Bytes(1000), File.ReadAllBytes(Target + "2"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rename_by_link_that_was_interrupted_is_finished(bool isOtherVolume)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows renames in one step.");
        byte[] bytes = Bytes(1000);
        await ReceiveAsync(NewStore(files: new FaultyFiles()), bytes);
        var files = new LinkingFiles(isOtherVolume);
        await Assert.ThrowsAsync<ProcessDied>(async () => await NewStore(files: files).MoveAsync(Target, false, None));
        Assert.True(File.Exists(Target));

        FileSystemUploadStore next = NewStore(files: CreateFiles(isOtherVolume));
        Assert.Equal(new MoveResult(MoveStatus.Moved, Target), await next.MoveAsync(Target, false, None));
        Assert.Equal([Target], Directory.GetFiles(Root));
        Assert.Equal(bytes, File.ReadAllBytes(Target));
        Assert.Empty(Directory.GetFiles(UploadDirectory, "*.data"));
    }

    private static FaultyFiles CreateFiles(bool isOtherVolume) => isOtherVolume ? new CrossVolumeFiles() : new FaultyFiles();

    private async Task<bool> MoveAndCrashAsync(int at, bool isOtherVolume)
    {
        FaultyFiles files = CreateFiles(isOtherVolume);
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
            await NewStore(files: files).MoveAsync(Target, false, None);
            return true;
        }
        catch (ProcessDied)
        {
            return false;
        }
    }

    /// <summary>Reports that the target is on another volume, so that the content is copied.</summary>
    private class CrossVolumeFiles : FaultyFiles
    {
        public override bool RenameFileNoReplace(string from, string to) =>
            from.EndsWith(".data", StringComparison.Ordinal) ? throw new IOException("cross-device", NativeMethods.EXDEV) : base.RenameFileNoReplace(from, to);
    }

    /// <summary>A file system without an atomic rename, on which the process dies between link and delete.</summary>
    private sealed class LinkingFiles(bool isOtherVolume) : DelegatingFileLayer
    {
        private bool _dead;

        public override bool RenameFileNoReplace(string from, string to)
        {
            if (isOtherVolume && from.EndsWith(".data", StringComparison.Ordinal))
            {
                throw new IOException("cross-device", NativeMethods.EXDEV);
            }

            Assert.Equal(0, NativeMethods.Link(from, to));
            _dead = true;
            throw new ProcessDied();
        }

        public override void DeleteFile(string path)
        {
            if (_dead)
            {
                throw new ProcessDied();
            }

            base.DeleteFile(path);
        }
    }
}

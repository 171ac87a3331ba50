using System.Diagnostics;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>A file system of its own in a file, which can be shut down as if the power had gone.</summary>
internal sealed class LoopDisk : IAsyncDisposable
{
    // xfs is not made smaller than this. The file has holes: it takes as much room as is written.
    private const long SmallSize = 320L << 20;

    private readonly DirectoryInfo _place = Directory.CreateTempSubdirectory("crash-disk-");

    /// <summary>Where the disk itself is, and what is not on it.</summary>
    public string Place => _place.FullName;

    /// <summary>Where the disk is mounted.</summary>
    public string Path => System.IO.Path.Combine(Place, "mounted");

    private string Image => System.IO.Path.Combine(Place, "image");

    /// <param name="fileSystem"><c>ext4</c> or <c>xfs</c>.</param>
    /// <param name="size">Its size in bytes. An ext4 has room for as many files as its size gives it.</param>
    public static async Task<LoopDisk> MountAsync(string fileSystem, long size = SmallSize)
    {
        Needs.Require(OperatingSystem.IsLinux(), "Loop devices are for Linux.");
        var disk = new LoopDisk();
        Directory.CreateDirectory(disk.Path);
        await using (FileStream image = File.Create(disk.Image))
        {
            image.SetLength(size);
        }

        bool isThere = await Needs.RunAsync("mkfs." + fileSystem, fileSystem == "ext4" ? "-qF" : "-q", disk.Image) == 0
            && await Needs.RunAsync("xfs_io", "-V") == 0
            && await disk.TryMountAsync();
        if (!isThere)
        {
            await disk.DisposeAsync();
        }

        Needs.Require(isThere, $"A disk with {fileSystem} cannot be made and mounted here: it takes root, mkfs.{fileSystem}, xfs_io and a loop device.");
        return disk;
    }

    /// <summary>From now on nothing reaches the disk, and everything that tries fails. What was not synced is lost.</summary>
    public void CutPower()
    {
        using Process shutdown = Process.Start("xfs_io", ["-x", "-c", "shutdown", Path]);
        shutdown.WaitForExit();
    }

    /// <summary>Mounts what reached the disk. Nobody has a file open on it any more.</summary>
    public async Task RemountAsync()
    {
        Assert.Equal(0, await Needs.RunAsync("umount", Path));

        // As long as anything keeps the dead disk alive, mounting would give it once more.
        using var patience = new CancellationTokenSource(ChildHost.Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await Needs.RunAsync("sh", "-c", $"test -z \"$(losetup -j '{Image}')\"") != 0)
        {
            Assert.True(await timer.WaitForNextTickAsync(patience.Token));
        }

        Assert.True(await TryMountAsync());
    }

    public async ValueTask DisposeAsync()
    {
        // Lazily, so that it goes also when a failed test has left something open in it.
        await Needs.RunAsync("umount", "-l", Path);
        _place.Delete(recursive: true);
    }

    /// <summary>Mounts it so that unmounting it here does so in every namespace that has a copy of the mount: one that stayed would keep the dead disk alive.</summary>
    private async Task<bool> TryMountAsync() =>
        await Needs.RunAsync("mount", "-o", "loop", Image, Path) == 0 && await Needs.RunAsync("mount", "--make-shared", Path) == 0;
}

using System.Diagnostics;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>A file system in a file, which can be shut down as if the power was lost.</summary>
internal sealed class LoopDisk : IAsyncDisposable
{
    // The minimum size of xfs. The file is sparse, so it takes only the space that is written.
    private const long SmallSize = 320L << 20;

    private readonly DirectoryInfo _place = Directory.CreateTempSubdirectory("crash-disk-");

    /// <summary>Gets the directory of the disk image and of files that are not on the disk.</summary>
    public string Root => _place.FullName;

    /// <summary>Gets the mount point.</summary>
    public string Path => System.IO.Path.Combine(Root, "mounted");

    private string Image => System.IO.Path.Combine(Root, "image");

    /// <param name="fileSystem"><c>ext4</c> or <c>xfs</c>.</param>
    /// <param name="size">The size in bytes. For ext4 it also limits the number of files.</param>
    public static async Task<LoopDisk> MountAsync(string fileSystem, long size = SmallSize)
    {
        Needs.Require(OperatingSystem.IsLinux(), "Loop devices require Linux.");
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

        Needs.Require(isThere, $"Creating and mounting a disk with {fileSystem} requires root, mkfs.{fileSystem}, xfs_io and a loop device.");
        return disk;
    }

    /// <summary>Stops all writes to the disk; every operation fails from then on. Data that was not synced is lost.</summary>
    public void CutPower()
    {
        using Process shutdown = Process.Start("xfs_io", ["-x", "-c", "shutdown", Path]);
        shutdown.WaitForExit();
    }

    /// <summary>Mounts what reached the disk. No process may have a file open on it.</summary>
    public async Task RemountAsync()
    {
        // A process that another test has just started has the open files of this one for a moment. While anything keeps the old disk alive, mounting would return that
        // disk again.
        await RunUntilSuccessAsync("umount", Path);
        await RunUntilSuccessAsync("sh", "-c", $"test -z \"$(losetup -j '{Image}')\"");

        Assert.True(await TryMountAsync());
    }

    private static async Task RunUntilSuccessAsync(string command, params string[] arguments)
    {
        using var timeout = new CancellationTokenSource(ChildHost.Timeout);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await Needs.RunAsync(command, arguments) != 0)
        {
            Assert.True(await timer.WaitForNextTickAsync(timeout.Token));
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Lazily, so that it also works if a failed test has left a file open.
        await Needs.RunAsync("umount", "-l", Path);
        _place.Delete(recursive: true);
    }

    /// <summary>
    /// Mounts the disk as shared, so that unmounting it also unmounts copies in other mount namespaces. A remaining copy would keep the old disk
    /// alive.
    /// </summary>
    private async Task<bool> TryMountAsync() =>
        await Needs.RunAsync("mount", "-o", "loop", Image, Path) == 0 && await Needs.RunAsync("mount", "--make-shared", Path) == 0;
}

using System.Globalization;
using ResumableUploads.Testing;

namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>A tmpfs, mounted for one test.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly DirectoryInfo _place;

    private SmallDisk(DirectoryInfo place) => _place = place;

    public string Path => _place.FullName;

    public static async Task<SmallDisk> MountAsync(int mebibytes)
    {
        Needs.Require(OperatingSystem.IsLinux(), "tmpfs requires Linux.");
        var disk = new SmallDisk(Directory.CreateTempSubdirectory("crash-disk-"));
        int? exit = await Needs.RunAsync("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "crash-disk", disk.Path);
        if (exit != 0)
        {
            disk._place.Delete();
        }

        Needs.Require(exit == 0, "Mounting a tmpfs requires root and a machine that allows it.");
        return disk;
    }

    /// <summary>Remounts the disk with an option such as <c>size=64m</c> or <c>ro</c>.</summary>
    public async Task RemountAsync(string option) => Assert.Equal(0, await Needs.RunAsync("mount", "-o", $"remount,{option}", Path));

    /// <summary>Fills the remaining space until the returned file is deleted.</summary>
    public string Fill()
    {
        string path = DiskFiller.Fill(Path);
        Assert.Equal("0", new DriveInfo(Path).AvailableFreeSpace.ToString(CultureInfo.InvariantCulture));
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        // Lazily, so that it also works if a failed test has left a file open.
        await Needs.RunAsync("umount", "-l", Path);
        _place.Delete(recursive: true);
    }
}

using System.Diagnostics;
using System.Globalization;

namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>The machine that runs the benchmark.</summary>
internal static class Machine
{
    public static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            ?? "unknown";

    public static string Kernel() => "Linux " + File.ReadAllText("/proc/sys/kernel/osrelease").Trim();

    public static string Load() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..2]);

    public static string FileSystemOf(string path)
    {
        string full = Path.GetFullPath(path);
        DriveInfo drive = DriveInfo.GetDrives()
            .Where(drive => full.StartsWith(drive.RootDirectory.FullName, StringComparison.Ordinal))
            .MaxBy(static drive => drive.RootDirectory.FullName.Length)!;
        return drive.DriveFormat;
    }

    /// <summary>Returns the number of free inodes and bytes at a path. File systems without an inode limit report <see cref="long.MaxValue"/> files.</summary>
    public static (long Files, long Bytes) GetFreeSpace(string path)
    {
        using Process stat = Process.Start(new ProcessStartInfo("stat", ["-f", "-c", "%c %d", path]) { RedirectStandardOutput = true })!;
        long[] files = [.. stat.StandardOutput.ReadToEnd().Split(' ').Select(static number => long.Parse(number, CultureInfo.InvariantCulture))];
        return (files is [> 0, var free] ? free : long.MaxValue, new DriveInfo(path).AvailableFreeSpace);
    }

    /// <summary>Flushes dirty pages to the disks, so that they are not written during a measurement.</summary>
    public static void WaitForWriteback()
    {
        using Process sync = Process.Start("sync");
        sync.WaitForExit();
    }
}

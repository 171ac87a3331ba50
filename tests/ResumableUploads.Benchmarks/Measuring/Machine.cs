using System.Diagnostics;
using System.Globalization;

namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>What the figures were measured on.</summary>
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

    /// <summary>How many more files and bytes there is room for at a path. Some file systems do not count files: there it is any number of them.</summary>
    public static (long Files, long Bytes) GetFreeSpace(string path)
    {
        using Process stat = Process.Start(new ProcessStartInfo("stat", ["-f", "-c", "%c %d", path]) { RedirectStandardOutput = true })!;
        long[] files = [.. stat.StandardOutput.ReadToEnd().Split(' ').Select(static number => long.Parse(number, CultureInfo.InvariantCulture))];
        return (files is [> 0, var free] ? free : long.MaxValue, new DriveInfo(path).AvailableFreeSpace);
    }

    /// <summary>Returns when nothing waits in memory any more to be written to a disk: else it is written while something is measured.</summary>
    public static void WaitForWriteback()
    {
        using Process sync = Process.Start("sync");
        sync.WaitForExit();
    }
}

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
}

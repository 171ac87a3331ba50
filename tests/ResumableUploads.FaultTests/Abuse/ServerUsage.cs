using System.Globalization;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>The resource usage of a process, observed from outside (Linux).</summary>
/// <param name="Memory">Its private memory in bytes: resident and not backed by a file.</param>
/// <param name="Handles">Its open files and sockets.</param>
/// <param name="Threads">Its threads.</param>
/// <param name="Processor">The processor time that it has used so far.</param>
internal sealed record ServerUsage(long Memory, int Handles, int Threads, TimeSpan Processor)
{
    private const double TicksPerSecond = 100;

    public static ServerUsage Of(int process)
    {
        string place = $"/proc/{process}";
        string[] status = File.ReadAllLines(Path.Combine(place, "status"));

        // The name may contain spaces. The first field after it is the third.
        string stat = File.ReadAllText(Path.Combine(place, "stat"));
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return new ServerUsage(
            NumberIn(status, "RssAnon:") * 1024,
            Directory.GetFileSystemEntries(Path.Combine(place, "fd")).Length,
            (int)NumberIn(status, "Threads:"),
            TimeSpan.FromSeconds((Number(fields[11]) + Number(fields[12])) / TicksPerSecond));
    }

    /// <summary>Returns how many files and sockets a process may have open.</summary>
    public static int MaxHandles()
    {
        string line = File.ReadLines("/proc/self/limits").Single(static line => line.StartsWith("Max open files", StringComparison.Ordinal));

        // .NET raises the soft limit to the hard limit at startup.
        string hard = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return hard == "unlimited" ? int.MaxValue : int.Parse(hard, CultureInfo.InvariantCulture);
    }

    private static long NumberIn(string[] status, string name) =>
        Number(status.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal));

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}

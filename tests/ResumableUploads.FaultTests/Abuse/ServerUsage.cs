using System.Globalization;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>What a process holds, read from outside (Linux).</summary>
/// <param name="Memory">Its private memory in bytes: what is resident and no file's.</param>
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

        // Behind the name, which may have blanks; the first of them is the third field.
        string stat = File.ReadAllText(Path.Combine(place, "stat"));
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return new ServerUsage(
            NumberIn(status, "RssAnon:") * 1024,
            Directory.GetFileSystemEntries(Path.Combine(place, "fd")).Length,
            (int)NumberIn(status, "Threads:"),
            TimeSpan.FromSeconds((Number(fields[11]) + Number(fields[12])) / TicksPerSecond));
    }

    /// <summary>How many files and sockets a process of this machine may have open.</summary>
    public static int MaxHandles()
    {
        string line = File.ReadLines("/proc/self/limits").Single(static line => line.StartsWith("Max open files", StringComparison.Ordinal));

        // .NET raises the first number to the second when it starts.
        string hard = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return hard == "unlimited" ? int.MaxValue : int.Parse(hard, CultureInfo.InvariantCulture);
    }

    private static long NumberIn(string[] status, string name) =>
        Number(status.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal));

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}

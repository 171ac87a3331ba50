using System.Diagnostics;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills.Syscalls;

/// <summary>A system call of the main thread of the crash host.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Number">Its number among the calls with this name, beginning with 1. strace counts each kind of call separately.</param>
internal sealed record Syscall(string Name, int Number);

/// <summary>Runs a scenario of the crash host under strace, and kills it at a system call that changes files.</summary>
/// <param name="arguments">The arguments of the crash host.</param>
/// <param name="injections">Faults of other system calls in every run.</param>
internal sealed class SyscallTracer(string[] arguments, params string[] injections)
{
    // Opening a file is not in the list, but the lock that the framework takes on each opened file is.
    private const string Names =
        "mkdir,rmdir,rename,renameat,renameat2,pwrite64,pwritev,ftruncate,fsync,fdatasync,unlink,unlinkat,utimensat,flock,link,linkat,copy_file_range";

    private const int Killed = 128 + 9;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Runs the scenario to its end.</summary>
    /// <param name="place">A directory for the log.</param>
    /// <returns>The system calls from the one that creates a directory whose name ends with <c>.begins</c>, and the lines that were printed.</returns>
    public async Task<(Syscall[] Calls, string[] Printed)> ListAsync(string place)
    {
        string log = Path.Combine(place, "calls");
        string[] printed = await RunAsync(isKilled: false, ["-o", log, "-e", "trace=" + Names]);
        string[] lines = await File.ReadAllLinesAsync(log, Token);
        string main = lines[0].Split(' ')[0];
        string[] made = [.. lines.Where(line => line.StartsWith(main + " ", StringComparison.Ordinal) && line.Contains('(')).Select(line => line[main.Length..].Trim())];
        var counts = new Dictionary<string, int>();
        List<Syscall> calls = [];
        foreach (string name in made.Select(static line => line[..line.IndexOf('(')]))
        {
            calls.Add(new Syscall(name, counts[name] = counts.GetValueOrDefault(name) + 1));
        }

        int begins = Array.FindIndex(made, static line => line.Contains(".begins\"", StringComparison.Ordinal));
        Assert.NotEqual(-1, begins);

        // Releasing a lock does not change the files.
        return ([.. calls.Zip(made).Skip(begins + 1).Where(static call => !call.Second.Contains("LOCK_UN", StringComparison.Ordinal)).Select(static call => call.First)], printed);
    }

    /// <summary>Runs the scenario and kills it when it enters a system call.</summary>
    /// <returns>The lines that were printed.</returns>
    public Task<string[]> KillAtAsync(Syscall call) =>
        RunAsync(isKilled: true, ["-o", "/dev/null", "-e", "trace=" + Names, "-e", $"inject={call.Name}:signal=KILL:when={call.Number}"]);

    private async Task<string[]> RunAsync(bool isKilled, string[] strace)
    {
        string[] command =
        [
            "-f", "-qq", .. strace, .. injections.SelectMany(static injection => (string[])["-e", "inject=" + injection]),
            "dotnet", "exec", ChildHost.DllOf("tests", "ResumableUploads.CrashHost"), .. arguments,
        ];
        var start = new ProcessStartInfo("strace", command) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using Process process = Process.Start(start)!;
        string[] texts = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(Token), process.StandardError.ReadToEndAsync(Token));
        await process.WaitForExitAsync(Token);
        Assert.True(isKilled == (process.ExitCode == Killed), $"The exit code is {process.ExitCode}. {texts[0]} {texts[1]}");
        return texts[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}

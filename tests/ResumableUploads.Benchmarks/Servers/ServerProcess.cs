using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>A server as a process of its own, so that what it uses can be told from what the sender uses.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;
    private readonly Wire _control;

    private ServerProcess(Process process, int port)
    {
        _process = process;
        Port = port;
        _control = Wire.Open(port);
    }

    public int Port { get; }

    public static ServerProcess Start(ServeArguments arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        }

        foreach (string argument in arguments.ToArguments())
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start)!;
        return process.StandardOutput.ReadLine() is { } port
            ? new ServerProcess(process, int.Parse(port, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"The server '{arguments}' did not start.");
    }

    /// <summary>What the process has used of the processors so far, by all its threads, in the kernel and outside.</summary>
    public TimeSpan ProcessorTime() => TimeSpan.FromTicks(_control.Get("/control/cpu").Number);

    /// <summary>What the process holds after a forced collection: on the managed heap, and of private pages in memory.</summary>
    public MemoryUse Memory()
    {
        long managed = _control.Get("/control/memory").Number;
        foreach (string line in File.ReadLines($"/proc/{_process.Id}/status"))
        {
            if (line.StartsWith("RssAnon:", StringComparison.Ordinal))
            {
                return new MemoryUse(managed, 1024 * long.Parse(line[8..].Replace("kB", "").Trim(), CultureInfo.InvariantCulture));
            }
        }

        return new MemoryUse(managed, 0);
    }

    public void Dispose()
    {
        _control.Dispose();
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}

/// <summary>How much memory a process holds, in bytes.</summary>
internal readonly record struct MemoryUse(long Managed, long PrivatePages);

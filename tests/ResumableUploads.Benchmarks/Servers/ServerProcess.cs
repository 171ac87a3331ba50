using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>A server as a process of its own, so that what it uses can be told from what the sender uses.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;
    private readonly RawHttpConnection? _control;

    private ServerProcess(Process process, int port, bool isNode)
    {
        _process = process;
        Port = port;
        _control = isNode ? null : RawHttpConnection.Open(port);
    }

    public int Port { get; }

    public static ServerProcess Start(ServeArguments arguments)
    {
        bool isNode = arguments.Kind == ServerKind.TusNode;
        ProcessStartInfo start = isNode ? TusNodeServer.StartInfo(arguments.Directory) : OwnStartInfo(arguments);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        Process process = Process.Start(start)!;
        return process.StandardOutput.ReadLine() is { } port
            ? new ServerProcess(process, int.Parse(port, CultureInfo.InvariantCulture), isNode)
            : throw new InvalidOperationException($"The server '{arguments}' did not start.");
    }

    /// <summary>What the process has used of the processors so far, by all its threads, in the kernel and outside.</summary>
    public TimeSpan ProcessorTime()
    {
        if (_control is not null)
        {
            return TimeSpan.FromTicks(_control.Get("/control/cpu").Number);
        }

        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    /// <summary>What the process has allocated so far, in bytes; not a number where it does not tell.</summary>
    public double Allocated() => _control?.Get("/control/allocated").Number ?? double.NaN;

    /// <summary>The most memory that the process has had at any time, in bytes.</summary>
    public long Peak() => Status("VmHWM:");

    private static ProcessStartInfo OwnStartInfo(ServeArguments arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        }

        foreach (string argument in arguments.ToArguments())
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    /// <summary>What the process holds after a forced collection: on the managed heap, and of private pages in memory.</summary>
    public MemoryUse Memory()
    {
        long managed = _control?.Get("/control/memory").Number ?? 0;
        return new MemoryUse(managed, Status("RssAnon:"));
    }

    private long Status(string field)
    {
        string line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return 1024 * long.Parse(line[field.Length..].Replace("kB", "").Trim(), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _control?.Dispose();
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

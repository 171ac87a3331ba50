using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>A server in its own process, so that its processor time and memory can be measured separately from the client.</summary>
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

    /// <summary>Gets the total processor time of the process, in user and kernel mode.</summary>
    public TimeSpan ProcessorTime()
    {
        if (_control is not null)
        {
            return TimeSpan.FromTicks(_control.Get("/control/cpu").Number);
        }

        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    /// <summary>Gets the total allocations of the process in bytes, or NaN if they are not known.</summary>
    public double Allocated() => _control?.Get("/control/allocated").Number ?? double.NaN;

    /// <summary>Gets the peak memory of the process, in bytes.</summary>
    public long Peak() => Status("VmHWM:");

    /// <summary>Gets the number of delayed syncs.</summary>
    public long Syncs() => _control!.Get("/control/syncs").Number;

    /// <summary>Ends the process without waiting for its requests.</summary>
    public void Kill() => _process.Kill();

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

    /// <summary>Gets the managed memory and the resident private pages after a forced collection.</summary>
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

/// <summary>The memory of a process, in bytes.</summary>
internal readonly record struct MemoryUse(long Managed, long PrivatePages);

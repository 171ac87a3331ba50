using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Proxies.Servers;

/// <summary>A proxy in a process of its own, with its files in a temporary directory.</summary>
internal sealed class ProxyProcess : IProxy
{
    private const int MaxAttempts = 10;
    private readonly string _directory = Directory.CreateTempSubdirectory("uploads-proxy-").FullName;
    private readonly LineFeed _output = new();
    private ReservedPort? _port;
    private Process? _process;

    private ProxyProcess()
    {
    }

    public Uri Address { get; private set; } = null!;

    /// <summary>Starts a proxy. Skips the test if it is not installed.</summary>
    /// <param name="program">The proxy.</param>
    /// <param name="configuration">Its configuration, with 8080 for the port of the proxy and 5080 for that of the app.</param>
    /// <param name="app">The address of the app.</param>
    public static async Task<IProxy> StartAsync(ProxyProgram program, string configuration, Uri app)
    {
        Needs.Require(await Needs.RunAsync(program.Executable, "-v") is not null, $"{program.Executable} is not installed.");
        var proxy = new ProxyProcess();
        if (Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows())
        {
            // Some proxies run as another user after they have started.
            File.SetUnixFileMode(proxy._directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }

        // If the system cannot reserve a port, another process may bind it before the proxy does.
        for (int i = 0; i < MaxAttempts; i++)
        {
            proxy._port?.Dispose();
            proxy._port = new ReservedPort();
            if (await proxy.TryStartAsync(program, configuration, app, proxy._port.Number))
            {
                return proxy;
            }
        }

        string output = string.Join('\n', proxy._output.Lines);
        await proxy.DisposeAsync();
        throw new InvalidOperationException($"{program.Executable} did not start:\n{output}");
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _port?.Dispose();
        await TemporaryDirectory.DeleteAsync(_directory);
    }

    private async Task<bool> TryStartAsync(ProxyProgram program, string configuration, Uri app, int port)
    {
        var launch = new ProxyLaunch(_directory, port, Path.Combine(_directory, program.ConfigurationFile));
        string text = program.Complete(launch, configuration)
            .Replace("8080", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("5080", app.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        await File.WriteAllTextAsync(launch.Configuration, text);
        var start = new ProcessStartInfo(program.Executable, program.Arguments(launch))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _directory,
        };
        start.Environment["HOME"] = _directory;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Collect(line.Data);
        _process.ErrorDataReceived += (_, line) => Collect(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.TrueAsync(() => _process.HasExited || IsListening(port), $"{program.Executable} listens or has exited");
        if (_process.HasExited)
        {
            await StopAsync();
            return false;
        }

        Address = new Uri($"http://127.0.0.1:{port}");
        return true;
    }

    private void Collect(string? line)
    {
        if (line is not null)
        {
            _output.Add(line);
        }
    }

    private async Task StopAsync()
    {
        if (_process is not { } process)
        {
            return;
        }

        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        await process.WaitForExitAsync();
        process.Dispose();
        _process = null;
    }

    private static bool IsListening(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

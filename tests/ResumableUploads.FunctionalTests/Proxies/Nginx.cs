using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>nginx with the configuration of <c>samples/nginx</c> in front of a sample host.</summary>
public sealed class Nginx : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("uploads-nginx-").FullName;
    private Process? _process;
    private Uri? _address;
    private bool _isInstalled;

    /// <summary>Gets the sample host behind nginx.</summary>
    public SampleHostProcess Host { get; private set; } = null!;

    /// <summary>Gets the address of nginx. Skips the test if nginx is not installed, which a fixture cannot do when it is created.</summary>
    public Uri Address
    {
        get
        {
            Needs.Require(_isInstalled, "nginx is not installed.");
            return _address!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        Host = await SampleHostProcess.StartAsync();
        _isInstalled = await Needs.RunAsync("nginx", "-v") is 0;

        // Another process may bind the free port before nginx does.
        for (int i = 0; _isInstalled && i < 10 && _address is null; i++)
        {
            await TryStartAsync(FreePort());
        }

        Assert.Equal(_isInstalled, _address is not null);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Host.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task TryStartAsync(int port)
    {
        string[] modules = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        string text = await File.ReadAllTextAsync(Path.Combine(RepositoryFiles.Root, "samples", "nginx", "nginx.conf"));
        text = text.Replace("127.0.0.1:5080", Host.Address.Authority, StringComparison.Ordinal)
            .Replace("listen 8080", $"listen 127.0.0.1:{port}", StringComparison.Ordinal)
            .Replace("http {", $"http {{\n{string.Concat(modules.Select(name => $"    {name}_temp_path {_directory}/{name};\n"))}    access_log off;", StringComparison.Ordinal);
        string configuration = Path.Combine(_directory, "nginx.conf");
        await File.WriteAllTextAsync(configuration, $"daemon off;\nmaster_process off;\npid {_directory}/pid;\nerror_log {_directory}/error.log;\n{text}");
        _process = Process.Start(new ProcessStartInfo("nginx", ["-p", _directory, "-c", configuration, "-e", $"{_directory}/error.log"]) { RedirectStandardError = true })!;
        await Eventually.TrueAsync(() => Task.FromResult(_process.HasExited || IsListening(port)), "nginx listens or has exited");
        if (_process.HasExited)
        {
            await StopAsync();
            return;
        }

        _address = new Uri($"http://127.0.0.1:{port}");
    }

    private async Task StopAsync()
    {
        if (_process is not { } process)
        {
            return;
        }

        if (!process.HasExited)
        {
            process.Kill();
        }

        await process.WaitForExitAsync();
        process.Dispose();
        _process = null;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
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

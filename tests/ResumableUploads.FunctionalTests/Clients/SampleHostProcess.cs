using System.Diagnostics;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>The sample host as a process of its own, with a directory of its own. It can be killed, and started again at the same address.</summary>
public sealed class SampleHostProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private Process? _process;

    private readonly string[] _options;

    private SampleHostProcess(string directory, string[] options) => (Directory, _options) = (directory, options);

    /// <summary>The directory of the uploads; removed in the end.</summary>
    public string Directory { get; }

    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    /// <summary>The files that have arrived.</summary>
    public IReadOnlyList<string> Arrived =>
        System.IO.Directory.Exists(Path.Combine(Directory, "finished")) ? System.IO.Directory.GetFiles(Path.Combine(Directory, "finished")) : [];

    /// <summary>The bytes on disk of the one upload that is unfinished.</summary>
    public long BytesOnDisk => new FileInfo(Assert.Single(System.IO.Directory.GetFiles(Directory, "*.data", SearchOption.AllDirectories))).Length;

    /// <param name="options">More of the command line, without the leading dashes: <c>AllowedOrigins:0=http://127.0.0.1:5000</c>.</param>
    public static async Task<SampleHostProcess> StartAsync(params string[] options)
    {
        var host = new SampleHostProcess(System.IO.Directory.CreateTempSubdirectory("uploads-browser-").FullName, options);
        await host.StartAgainAsync();
        return host;
    }

    /// <summary>Waits until so many bytes of the one upload that is unfinished have been written.</summary>
    public async Task HasOnDiskAsync(long length)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (BytesOnDisk < length)
        {
            Assert.True(await timer.WaitForNextTickAsync(patience.Token));
        }
    }

    /// <summary>Starts, after a <see cref="KillAsync"/> on the port that it had.</summary>
    public async Task StartAgainAsync()
    {
        (string project, string assembly) = Find();
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            ArgumentList =
            {
                assembly, "--urls", Address.GetLeftPart(UriPartial.Authority), "--contentRoot", project, "--environment", "Production",
                "--ResumableUploads:Directory", Directory,
            },
        };
        foreach (string option in _options)
        {
            start.ArgumentList.Add("--" + option);
        }

        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var lines = new List<string>();
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                address.TrySetException(new InvalidOperationException($"The sample host ended:\n{string.Join('\n', lines)}"));
            }
            else if (line.Data.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at)
            {
                address.TrySetResult(line.Data[(at + Listening.Length)..].Trim());
            }
            else
            {
                lines.Add(line.Data);
            }
        };
        process.Start();
        _process = process;
        process.BeginOutputReadLine();
        Address = new Uri(await address.Task.WaitAsync(Patience));
    }

    /// <summary>SIGKILL: no goodbye, nothing is flushed.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>The sample's sources, and what the same build made of them.</summary>
    private static (string Project, string Assembly) Find()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        DirectoryInfo root = output;
        while (!File.Exists(Path.Combine(root.FullName, "ResumableUploadMiddleware.sln")))
        {
            root = root.Parent ?? throw new DirectoryNotFoundException($"{output} is in no checkout of the project.");
        }

        string project = Path.Combine(root.FullName, "samples", "SampleHost");
        return (project, Path.Combine(project, "bin", output.Parent!.Name, output.Name, "SampleHost.dll"));
    }
}

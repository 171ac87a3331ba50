using System.Diagnostics;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients;

/// <summary>SampleHost, or another sample, in a separate process with its own directory. It can be killed and restarted at the same address.</summary>
public sealed class SampleHostProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly string _sample;
    private readonly string[] _options;
    private readonly ReservedPort _port = new();
    private Process? _process;

    private SampleHostProcess(string sample, string directory, string[] options) => (_sample, Directory, _options) = (sample, directory, options);

    /// <summary>Gets the directory of the uploads. It is deleted on disposal.</summary>
    public string Directory { get; }

    public Uri Address => new($"http://127.0.0.1:{_port.Number}");

    /// <summary>Gets the paths of the completed files.</summary>
    public IReadOnlyList<string> Arrived =>
        System.IO.Directory.Exists(Path.Combine(Directory, "finished")) ? System.IO.Directory.GetFiles(Path.Combine(Directory, "finished")) : [];

    /// <summary>Gets the length of the data file of the only unfinished upload.</summary>
    public long BytesOnDisk => new FileInfo(Assert.Single(DataFiles)).Length;

    private string[] DataFiles => System.IO.Directory.GetFiles(Directory, "*.data", SearchOption.AllDirectories);

    /// <summary>Starts the host.</summary>
    /// <param name="options">Additional command-line options without the leading dashes: <c>AllowedOrigins:0=http://127.0.0.1:5000</c>.</param>
    public static Task<SampleHostProcess> StartAsync(params string[] options) => StartSampleAsync("SampleHost", options);

    /// <summary>Starts a sample.</summary>
    /// <param name="sample">The name of the sample.</param>
    /// <param name="options">Additional command-line options without the leading dashes.</param>
    public static async Task<SampleHostProcess> StartSampleAsync(string sample, params string[] options)
    {
        var host = new SampleHostProcess(sample, System.IO.Directory.CreateTempSubdirectory("uploads-browser-").FullName, options);
        await host.RestartAsync();
        return host;
    }

    /// <summary>Waits until the data file of the only unfinished upload has at least the given length.</summary>
    public async Task WaitForBytesOnDiskAsync(long length)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!AreStored(length))
        {
            Assert.True(await timer.WaitForNextTickAsync(timeout.Token));
        }
    }

    /// <summary>Starts the host. After <see cref="KillAsync"/>, it listens on the same port.</summary>
    public async Task RestartAsync()
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

        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var lines = new List<string>();
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                listening.TrySetException(new InvalidOperationException($"The sample host exited:\n{string.Join('\n', lines)}"));
            }
            else if (line.Data.Contains(Listening, StringComparison.Ordinal))
            {
                listening.TrySetResult();
            }
            else
            {
                lines.Add(line.Data);
            }
        };
        process.Start();
        _process = process;
        process.BeginOutputReadLine();
        await listening.Task.WaitAsync(Timeout);
    }

    /// <summary>Ends the process with SIGKILL, so that nothing is flushed.</summary>
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
        _port.Dispose();
        await TemporaryDirectory.DeleteAsync(Directory);
    }

    /// <summary>Returns whether the upload has at least the given length. The data file is moved into its directory on creation.</summary>
    private bool AreStored(long length)
    {
        try
        {
            return DataFiles is [var file] && new FileInfo(file) is { Exists: true } info && info.Length >= length;
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Returns the project directory of the sample and the assembly of the same build configuration.</summary>
    private (string Project, string Assembly) Find()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        DirectoryInfo root = output;
        while (!File.Exists(Path.Combine(root.FullName, "ResumableUploadMiddleware.sln")))
        {
            root = root.Parent ?? throw new DirectoryNotFoundException($"{output} is not in a working copy of the repository.");
        }

        string project = Path.Combine(root.FullName, "samples", _sample);
        return (project, Path.Combine(project, "bin", output.Parent!.Name, output.Name, _sample + ".dll"));
    }
}

using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>The npm package <c>@tus/server</c> with its file store, in a process of its own.</summary>
internal sealed class TusNodeServer : IAsyncDisposable
{
    private static readonly NpmPackages Packages = new("tests/ResumableUploads.Benchmarks/tus-node");
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);
    private readonly Process _process;

    private TusNodeServer(Process process, string directory, Uri address) => (_process, Directory, Address) = (process, directory, address);

    /// <summary>Gets the directory of the uploads. It is deleted with the server.</summary>
    public string Directory { get; }

    public Uri Address { get; }

    public static async Task<TusNodeServer> StartAsync()
    {
        await Packages.RequireAsync();
        string directory = System.IO.Directory.CreateTempSubdirectory("tus-node-").FullName;
        Process process = Process.Start(new ProcessStartInfo("node", ["server.mjs", directory])
        {
            WorkingDirectory = Packages.Directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var output = new LineFeed();
        process.OutputDataReceived += (_, line) => output.Add(line.Data);
        process.BeginOutputReadLine();
        string? port = await output.WaitAsync(static _ => true).WaitAsync(Timeout);
        Assert.NotNull(port);
        return new TusNodeServer(process, directory, new Uri($"http://127.0.0.1:{int.Parse(port, CultureInfo.InvariantCulture)}"));
    }

    /// <summary>Returns the content of the only upload.</summary>
    public byte[] ReadContent() => File.ReadAllBytes(Assert.Single(System.IO.Directory.GetFiles(Directory), static path => Path.GetExtension(path) != ".json"));

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        await TemporaryDirectory.DeleteAsync(Directory);
    }
}

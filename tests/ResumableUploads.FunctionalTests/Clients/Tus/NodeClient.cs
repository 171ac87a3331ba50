using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>A client of tus in a Node process of its own, which runs one of <c>tests/tus-clients/scenarios.mjs</c>.</summary>
internal sealed class NodeClient : IAsyncDisposable
{
    private const string Finished = "done";

    private readonly Process _process;
    private readonly LineFeed _output = new();
    private readonly LineFeed _errors = new();

    private NodeClient(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => _output.Add(e.Data);
        process.ErrorDataReceived += (_, e) => _errors.Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The requests so far: the method, and the offset or a dash.</summary>
    public IReadOnlyList<string> Requests => Lines("request ");

    /// <summary>The answers so far: the method, the offset or a dash, and the status code.</summary>
    public IReadOnlyList<string> Answers => Lines("response ");

    /// <summary>
    /// How often it was told that it is elsewhere than it thinks. What it sent before a stop may be read after the question that follows: then it asks
    /// again, and goes on.
    /// </summary>
    public int Corrections => Answers.Count(static answer => answer.EndsWith(" 409", StringComparison.Ordinal));

    /// <summary>Starts a client.</summary>
    /// <param name="client">The name of its package.</param>
    /// <param name="scenario">What it does.</param>
    /// <param name="server">The server.</param>
    /// <param name="seed">For what it does at random.</param>
    /// <param name="files">What it sends.</param>
    public static async Task<NodeClient> StartAsync(string client, string scenario, Uri server, int seed, params SourceFile[] files)
    {
        await NodeModules.RequireAsync();
        string[] arguments =
        [
            "run.mjs", client, scenario, new Uri(server, "upload").ToString(), seed.ToString(CultureInfo.InvariantCulture),
            .. files.Select(static file => file.Path),
        ];
        return new NodeClient(Process.Start(new ProcessStartInfo("node", arguments)
        {
            WorkingDirectory = NodeModules.Directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);
    }

    /// <summary>Waits until the client has printed a line.</summary>
    public async Task PrintsAsync(string wanted)
    {
        string? found = await _output.WaitAsync(line => line == wanted).WaitAsync(ChildHost.Patience);
        if (found is null)
        {
            await _errors.Ended.WaitAsync(ChildHost.Patience);
            Assert.Fail($"The client ended without \"{wanted}\":\n{string.Join('\n', [.. _output.Lines, .. _errors.Lines])}");
        }
    }

    /// <summary>Waits until the client has done all of it.</summary>
    public Task EndAsync() => PrintsAsync(Finished);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private string[] Lines(string kind) =>
        [.. _output.Lines.Where(line => line.StartsWith(kind, StringComparison.Ordinal)).Select(line => line[kind.Length..])];
}

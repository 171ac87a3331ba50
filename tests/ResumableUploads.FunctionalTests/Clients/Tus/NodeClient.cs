using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>A tus client in a Node process, which runs a scenario of <c>tests/tus-clients/scenarios.mjs</c>.</summary>
internal sealed class NodeClient : IAsyncDisposable
{
    private const string Finished = "done";
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(4);

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

    /// <summary>Gets the requests sent so far: the method, and the offset or a dash.</summary>
    public IReadOnlyList<string> Requests => Lines("request ");

    /// <summary>Gets the responses received so far: the method, the offset or a dash, and the status code.</summary>
    public IReadOnlyList<string> Responses => Lines("response ");

    /// <summary>Gets how the upload of the scenario ended: <c>completed</c>, or <c>failed with</c> and the status code.</summary>
    public string Outcome => Assert.Single(Lines("outcome "));

    /// <summary>
    /// Gets the number of responses that made the client request the offset again: the server may read the last bytes of a stopped request after it has
    /// answered the next HEAD. The response is a 409, or a 423 as long as these bytes are not durable.
    /// </summary>
    public int Corrections => Responses.Count(static response => response.EndsWith(" 409", StringComparison.Ordinal) || response.EndsWith(" 423", StringComparison.Ordinal));

    /// <summary>Starts a client.</summary>
    /// <param name="client">The npm package name of the client.</param>
    /// <param name="scenario">The name of the scenario.</param>
    /// <param name="server">The base address of the server.</param>
    /// <param name="seed">The seed of the random decisions.</param>
    /// <param name="files">The files to send.</param>
    public static Task<NodeClient> StartAsync(string client, string scenario, Uri server, int seed, params SourceFile[] files) =>
        StartAtAsync(client, scenario, new Uri(server, "upload"), seed, files);

    /// <summary>Starts a client.</summary>
    /// <param name="client">The npm package name of the client.</param>
    /// <param name="scenario">The name of the scenario.</param>
    /// <param name="url">The URL where uploads are created, or that of an existing upload.</param>
    /// <param name="seed">The seed of the random decisions.</param>
    /// <param name="files">The files to send.</param>
    public static async Task<NodeClient> StartAtAsync(string client, string scenario, Uri url, int seed, params SourceFile[] files)
    {
        await NodeModules.RequireAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"Seed {seed}.");
        string[] arguments =
        [
            "run.mjs", client, scenario, url.ToString(), seed.ToString(CultureInfo.InvariantCulture),
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

    /// <summary>Waits until the client prints a line.</summary>
    public async Task PrintsAsync(string expectedLine)
    {
        string? found = await _output.WaitAsync(line => line == expectedLine).WaitAsync(Timeout);
        if (found is null)
        {
            await _errors.Ended.WaitAsync(Timeout);
            Assert.Fail($"The client exited without printing \"{expectedLine}\":\n{string.Join('\n', [.. _output.Lines, .. _errors.Lines])}");
        }
    }

    /// <summary>Waits until the client has completed its scenario.</summary>
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

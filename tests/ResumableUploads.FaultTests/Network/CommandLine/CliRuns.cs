using System.Globalization;
using ResumableUploads.Cli;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network.CommandLine;

/// <summary>Concurrent runs of <c>resup</c> over faulty connections, each with its own seed. Some are paused, and the same command continues.</summary>
/// <param name="app">The server.</param>
/// <param name="protocol">The value of <c>--protocol</c>.</param>
/// <param name="directory">The directory of the files and states.</param>
/// <param name="counts">Counts the events.</param>
internal sealed class CliRuns(NetworkApp app, string protocol, string directory, FaultCounts counts)
{
    private const int SideBySide = 32;
    private const int MaxFiles = 3;
    private const int MaxPauses = 3;
    private const int HeaderLength = 400;

    /// <summary>The delays of retries are 0.25 to 30 seconds by default, and a request without progress is aborted after 60 seconds.</summary>
    private const int TimeScale = 100;

    /// <summary>Returns the first failure with its seed, or null.</summary>
    public Task<string?> RunAsync(int runs, int firstSeed) => new SeededRuns(app, $"cli-{protocol}", SideBySide, counts).RunAsync(runs, firstSeed, RunAsync);

    private async Task RunAsync(int seed, string name, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        string folder = Path.Combine(directory, name);
        string state = Path.Combine(directory, name + "-state");
        Directory.CreateDirectory(folder);
        Dictionary<string, int> sizes = CreateFiles(folder, name, random);
        await using var line = new FaultyLine(() => app.Address, seed, counts);
        line.Expect(sizes.Values.Max() + HeaderLength);
        string[] arguments =
        [
            folder, "--to", new Uri(line.Address, NetworkApp.Path).ToString(), "--protocol", protocol, "--json", "--retries", "500", "--concurrency", Format(random.Next(1, MaxFiles + 1)),
            .. random.Next(2) == 0 ? (string[])["--chunk-size", Format(random.Next((sizes.Values.Max() / 12) + 1, sizes.Values.Max() + 1))] : [],
            .. random.Next(3) == 0 ? (string[])["--digest", "sha-256"] : [],
        ];

        (ExitCode exitCode, EventWriter output) = (ExitCode.Paused, null!);
        for (int pauses = random.Next(MaxPauses + 1); exitCode == ExitCode.Paused; pauses--)
        {
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            output = new EventWriter(pauses > 0 ? random.Next(1, 12) : int.MaxValue, pause.Cancel);
            exitCode = await RunAsync(arguments, state, output, pause.Token);
            cancellationToken.ThrowIfCancellationRequested();
            counts.Add($"exit code {(int)exitCode}");
        }

        await output.DisposeAsync();
        Check(sizes, exitCode, output, state);
        Directory.Delete(folder, recursive: true);
        Directory.Delete(state, recursive: true);
    }

    private static async Task<ExitCode> RunAsync(string[] arguments, string state, EventWriter output, CancellationToken pause)
    {
        using var error = new StringWriter();
        var environment = new CommandEnvironment(output, error, name => name == "XDG_STATE_HOME" ? state : null)
        {
            TimeProvider = new ScaledTimeProvider(TimeScale),
            PauseTimeout = Timeout.InfiniteTimeSpan,
        };
        ExitCode exitCode = await new Application(environment).RunAsync(arguments, pause);
        return error.ToString() is { Length: 0 } ? exitCode : throw new NetworkTestException(error.ToString());
    }

    /// <summary>The handler of the server compares the digest of what it received with that of the file.</summary>
    private void Check(Dictionary<string, int> sizes, ExitCode exitCode, EventWriter output, string state)
    {
        bool isTooLarge = sizes.Values.Any(static size => size > NetworkApp.MaxUploadSize);
        if (exitCode != (isTooLarge ? ExitCode.Failed : ExitCode.Succeeded))
        {
            throw new NetworkTestException($"The command ended with {exitCode}.\n{output}");
        }

        foreach (string file in sizes.Where(static file => file.Value <= NetworkApp.MaxUploadSize).Select(static file => file.Key))
        {
            app.AssertHandlerRanOnce(file);
            counts.Add("completed");
        }

        string[] tooLarge = [.. output.EventsOf("failed").Select(static entry => $"{Path.GetFileName(entry.GetProperty("path").GetString())} {entry.GetProperty("reason").GetString()}").Order()];
        if (!tooLarge.SequenceEqual(sizes.Where(static file => file.Value > NetworkApp.MaxUploadSize).Select(static file => $"{file.Key} too-large").Order()))
        {
            throw new NetworkTestException($"Other files have failed than those that are too large.\n{output}");
        }

        if (!isTooLarge && Directory.EnumerateFiles(state, "*", SearchOption.AllDirectories).FirstOrDefault() is { } left)
        {
            throw new NetworkTestException($"The command has completed everything and left {left}.");
        }
    }

    private Dictionary<string, int> CreateFiles(string folder, string name, Random random)
    {
        var sizes = new Dictionary<string, int>();
        for (int number = random.Next(1, MaxFiles + 1); number > 0; number--)
        {
            byte[] content = NetworkRuns.ContentOf(random);
            string file = $"{name}-{number}";
            app.Expect(file, content);
            sizes[file] = content.Length;
            File.WriteAllBytes(Path.Combine(folder, file), content);
        }

        return sizes;
    }

    private static string Format(int number) => number.ToString(CultureInfo.InvariantCulture);
}

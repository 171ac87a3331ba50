using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.CommandLine;

/// <summary>The command <c>resup</c> in a process of its own.</summary>
internal sealed partial class CliProcess : IAsyncDisposable
{
    public const int SigInt = 2;
    public const int SigTerm = 15;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly LineFeed _output = new();
    private readonly LineFeed _errors = new();

    private CliProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => _output.Add(line.Data);
        process.ErrorDataReceived += (_, line) => _errors.Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public StreamWriter Input => _process.StandardInput;

    public IReadOnlyList<string> Output => _output.Lines;

    public IReadOnlyList<string> Errors => _errors.Lines;

    public int ExitCode => _process.ExitCode;

    /// <summary>Gets the lines of the JSON output.</summary>
    public JsonElement[] Events => [.. Output.Select(static line => JsonElement.Parse(line))];

    /// <summary>Gets the path of the program.</summary>
    public static string Dll
    {
        get
        {
            string dll = ChildHost.DllOf("src", "ResumableUploads.Cli");
            Assert.True(File.Exists(dll), $"{dll} was not built.");
            return dll;
        }
    }

    /// <summary>Starts the command.</summary>
    /// <param name="directory">The working directory. States are kept in its subdirectory <c>.state</c>.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="environment">Additional environment variables.</param>
    public static CliProcess Start(string directory, string[] arguments, params (string Name, string Value)[] environment)
    {
        // A shell that runs the tests in the background makes them ignore SIGINT, and a child inherits that.
        string[] command = [.. OperatingSystem.IsLinux() ? (string[])["env", "--default-signal"] : [], "dotnet", "exec", Dll, .. arguments];
        var startInfo = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
        };
        startInfo.Environment["XDG_STATE_HOME"] = Path.Combine(directory, ".state");
        startInfo.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach (string name in (string[])["RESUP_HEADERS", "NO_COLOR", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
        {
            startInfo.Environment.Remove(name);
        }

        foreach ((string name, string value) in environment)
        {
            startInfo.Environment[name] = value;
        }

        return new CliProcess(Process.Start(startInfo)!);
    }

    /// <summary>Runs the command to its end.</summary>
    public static async Task<CliProcess> RunAsync(string directory, string[] arguments, params (string Name, string Value)[] environment)
    {
        CliProcess process = Start(directory, arguments, environment);
        process.Input.Close();
        await process.EndAsync();
        return process;
    }

    /// <summary>Returns the events of a kind.</summary>
    public JsonElement[] EventsOf(string kind) => [.. Events.Where(entry => entry.GetProperty("event").GetString() == kind)];

    /// <summary>Asserts the exit code. A failure shows the output.</summary>
    public void AssertExited(int exitCode) =>
        Assert.True(_process.ExitCode == exitCode, $"Exit code {_process.ExitCode} instead of {exitCode}.\n{string.Join('\n', Output)}\n{string.Join('\n', Errors)}");

    public void Signal(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    /// <summary>Sends SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await EndAsync();
    }

    public async Task EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Timeout, TimeProvider.System);
        await _output.Ended.WaitAsync(Timeout, TimeProvider.System);
        await _errors.Ended.WaitAsync(Timeout, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await EndAsync();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}

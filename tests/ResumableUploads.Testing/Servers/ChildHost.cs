using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ResumableUploads.Testing.Servers;

/// <summary>An app in its own process, which can be killed. It ends when its standard input is closed, and therefore with the test process.</summary>
public sealed partial class ChildHost : IAsyncDisposable
{
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>The timeout of requests. Some tests have requests that wait for a handler of another process.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromMinutes(5);

    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;
    private const int KilledExitCode = 128 + 9;
    private const string PortPrefix = "port ";

    private readonly Process _process;
    private readonly LineFeed _output = new();
    private readonly LineFeed _errors = new();

    private ChildHost(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => _output.Add(e.Data);
        process.ErrorDataReceived += (_, e) => _errors.Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Address { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public int Id => _process.Id;

    public int ExitCode => _process.ExitCode;

    /// <summary>Gets the output so far. It is complete when the process has ended.</summary>
    public IReadOnlyList<string> Output => _output.Lines;

    /// <summary>Gets the error output so far. It is complete when the process has ended.</summary>
    public string Errors => string.Join('\n', _errors.Lines);

    /// <summary>Occurs for each line of output, on another thread.</summary>
    public event Action<string>? Printed
    {
        add => _output.Added += value;
        remove => _output.Added -= value;
    }

    /// <summary>Starts the crash host and waits until it listens.</summary>
    /// <param name="directory">The directory of its uploads.</param>
    /// <param name="options">More command-line arguments without the leading dashes: <c>ResumableUploads:FileSystem:Durability=ProcessCrash</c>.</param>
    public static Task<ChildHost> StartAsync(string directory, params string[] options) => StartUnderAsync([], directory, options);

    /// <summary>Starts the crash host under another command, such as strace.</summary>
    public static async Task<ChildHost> StartUnderAsync(string[] command, string directory, params string[] options)
    {
        ChildHost child = LaunchCrashHost(command, directory, options);
        child.SetPort(await child.PrintsAsync(IsPortLine));
        return child;
    }

    /// <summary>Starts a crash host that may kill itself during its first sweep. Returns null if it did so before it could report that it listens.</summary>
    public static async Task<ChildHost?> TryStartAsync(string directory, params string[] options)
    {
        ChildHost child = LaunchCrashHost([], directory, options);
        if (await child._output.WaitAsync(IsPortLine).WaitAsync(Timeout) is { } line)
        {
            child.SetPort(line);
            return child;
        }

        await child.EndAsync();
        Assert.True(child.ExitCode == KilledExitCode, $"Exit code {child.ExitCode}: {child.Errors}");
        await child.DisposeAsync();
        return null;
    }

    /// <summary>Runs the crash host until it exits.</summary>
    public static async Task<ChildHost> RunToEndAsync(string directory, params string[] options)
    {
        ChildHost child = LaunchCrashHost([], directory, options);
        await child.EndAsync();
        return child;
    }

    /// <summary>Starts the sample host and reads its address from the log.</summary>
    public static Task<ChildHost> StartSampleAsync(string directory) => StartSampleAsync("SampleHost", directory);

    /// <summary>Starts a sample and reads its address from the log. Its data protection keys are stored in the directory of its uploads.</summary>
    public static async Task<ChildHost> StartSampleAsync(string name, string directory, params string[] options)
    {
        string[] arguments = ["--urls=http://127.0.0.1:0", $"--ResumableUploads:Directory={directory}", .. options.Select(static option => "--" + option)];
        return await StartProgramAsync(["dotnet", "exec", DllOf("samples", name), .. arguments], Path.GetDirectoryName(DllOf("samples", name))!, directory);
    }

    /// <summary>Starts an app of any kind and reads its address from the log.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="workingDirectory">The working directory.</param>
    /// <param name="home">The home directory, where the data protection keys are stored.</param>
    public static async Task<ChildHost> StartProgramAsync(string[] command, string workingDirectory, string home)
    {
        const string Prefix = "Now listening on: ";
        ChildHost child = Launch(command, workingDirectory, home);
        string line = await child.PrintsAsync(static line => line.Contains(Prefix, StringComparison.Ordinal));
        child.SetAddress(new Uri(line[(line.IndexOf(Prefix, StringComparison.Ordinal) + Prefix.Length)..].Trim()));
        return child;
    }

    /// <summary>Waits for a line of output and returns it. Earlier lines count.</summary>
    public async Task<string> PrintsAsync(Func<string, bool> predicate) =>
        await _output.WaitAsync(predicate).WaitAsync(Timeout)
            ?? throw new InvalidOperationException($"The process ended (exit code {await ExitCodeAsync()}):\n{string.Join('\n', Output)}\n{Errors}");

    /// <summary>Waits for a line of error output that contains a text. The log is written after the response that it is about.</summary>
    public async Task LogsAsync(string text)
    {
        if (await _errors.WaitAsync(line => line.Contains(text, StringComparison.Ordinal)).WaitAsync(Timeout) is null)
        {
            throw new InvalidOperationException($"The process ended (exit code {await ExitCodeAsync()}) and has not logged '{text}':\n{Errors}");
        }
    }

    public Task WriteLineAsync(string line) => _process.StandardInput.WriteLineAsync(line);

    /// <summary>Sends SIGKILL.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Sends SIGTERM.</summary>
    public void Terminate() => Assert.Equal(0, Signal(_process.Id, SigTerm));

    /// <summary>Sends SIGSTOP, which suspends the process. The signal numbers are those of Linux.</summary>
    public void Pause() => Assert.Equal(0, Signal(_process.Id, SigStop));

    /// <summary>Sends SIGSTOP and returns when all threads are suspended or the process has ended.</summary>
    public void SuspendThreads()
    {
        _ = Signal(_process.Id, SigStop);
        long start = TimeProvider.System.GetTimestamp();
        while (Threads().Any(static state => state is not ('T' or 'D' or 'Z' or 'X')))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Timeout);
            Thread.Yield();
        }
    }

    public void Resume() => Assert.Equal(0, Signal(_process.Id, SigCont));

    /// <summary>Waits until the process has ended and all of its output is read.</summary>
    public async Task EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Timeout);
        await _output.Ended.WaitAsync(Timeout);
        await _errors.Ended.WaitAsync(Timeout);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await EndAsync();
        _process.Dispose();
    }

    /// <summary>Returns the states of the threads. A thread that sleeps in the kernel (D) is suspended before it returns to the program.</summary>
    private List<char> Threads()
    {
        try
        {
            return [.. Directory.GetDirectories($"/proc/{_process.Id}/task").Select(static task => File.ReadAllText(Path.Combine(task, "stat"))).Select(static text => text[text.LastIndexOf(')') + 2])];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A thread or the process has ended in the meantime.
            return _process.HasExited ? [] : ['R'];
        }
    }

    private static ChildHost LaunchCrashHost(string[] wrapper, string directory, string[] options)
    {
        string dll = DllOf("tests", "ResumableUploads.CrashHost");
        string[] arguments = [$"--ResumableUploads:Directory={directory}", "--Logging:LogLevel:Default=Warning", .. options.Select(static option => "--" + option)];
        return Launch([.. wrapper, "dotnet", "exec", dll, .. arguments], Path.GetDirectoryName(dll)!);
    }

    private static ChildHost Launch(string[] command, string workingDirectory, string? home = null)
    {
        var startInfo = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory,
        };

        // The environment of the test process must not change the behavior of the child.
        startInfo.Environment.Remove("DOTNET_DbgEnableMiniDump");
        startInfo.Environment.Remove("ASPNETCORE_URLS");

        // A killed process would leave the diagnostic pipes of the runtime in the temporary directory.
        startInfo.Environment["DOTNET_EnableDiagnostics"] = "0";
        if (home is not null)
        {
            // The runtime ignores a home directory that does not exist.
            Directory.CreateDirectory(home);
            startInfo.Environment["HOME"] = home;
        }

        return new ChildHost(Process.Start(startInfo)!);
    }

    /// <summary>Returns the assembly of another project, in the configuration of these tests.</summary>
    internal static string DllOf(string folder, string project)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string root = own.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        return Path.Combine(root, folder, project, "bin", own.Parent.Name, own.Name, project + ".dll");
    }

    private static bool IsPortLine(string line) => line.StartsWith(PortPrefix, StringComparison.Ordinal);

    private void SetPort(string line) => SetAddress(new Uri($"http://127.0.0.1:{line[PortPrefix.Length..]}"));

    private void SetAddress(Uri address)
    {
        Address = address;
        Client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = address, Timeout = RequestTimeout };
    }

    private async Task<string> ExitCodeAsync()
    {
        await EndAsync();
        return _process.ExitCode.ToString(CultureInfo.InvariantCulture);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ResumableUploads.Testing.Servers;

/// <summary>An app in a process of its own, that can be killed. It ends with its standard input, so also with the test process.</summary>
public sealed partial class ChildHost : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const int Terminate = 15;
    private const int Continue = 18;
    private const int Stop = 19;

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

    /// <summary>What the app printed so far; all of it once the process has ended.</summary>
    public IReadOnlyList<string> Output => _output.Lines;

    /// <summary>What the app logged so far; all that arrived once the process has ended.</summary>
    public string Errors => string.Join('\n', _errors.Lines);

    /// <summary>Called for each line that the app prints, on another thread.</summary>
    public event Action<string>? Printed
    {
        add => _output.Added += value;
        remove => _output.Added -= value;
    }

    /// <summary>Starts the app made for these tests, and waits until it listens.</summary>
    /// <param name="directory">Where its uploads are.</param>
    /// <param name="options">More of the command line, without the leading dashes: <c>ResumableUploads:FileSystem:Durability=ProcessCrash</c>.</param>
    public static Task<ChildHost> StartAsync(string directory, params string[] options) => StartUnderAsync([], directory, options);

    /// <summary>The same under another command, which comes before it.</summary>
    public static async Task<ChildHost> StartUnderAsync(string[] command, string directory, params string[] options)
    {
        ChildHost child = Launch(command, DllOf("tests", "ResumableUploads.CrashHost"), ArgumentsOf(directory, options));
        string line = await child.PrintsAsync(static line => line.StartsWith("port ", StringComparison.Ordinal));
        child.IsAt(new Uri($"http://127.0.0.1:{line["port ".Length..]}"));
        return child;
    }

    /// <summary>Starts the app where it is expected to end by itself, and gives it when it has.</summary>
    public static async Task<ChildHost> RunToEndAsync(string directory, params string[] options)
    {
        ChildHost child = Launch([], DllOf("tests", "ResumableUploads.CrashHost"), ArgumentsOf(directory, options));
        await child.EndAsync();
        return child;
    }

    /// <summary>Starts the sample host, with its own way of telling where it listens.</summary>
    public static Task<ChildHost> StartSampleAsync(string directory) => StartSampleAsync("SampleHost", directory);

    /// <summary>The same for any of the samples. The keys of its tokens and cookies are below the directory of its uploads.</summary>
    public static async Task<ChildHost> StartSampleAsync(string name, string directory, params string[] options)
    {
        string[] arguments = ["--urls=http://127.0.0.1:0", $"--ResumableUploads:Directory={directory}", .. options.Select(static option => "--" + option)];
        ChildHost child = Launch([], DllOf("samples", name), arguments, home: directory);
        const string Announcement = "Now listening on: ";
        string line = await child.PrintsAsync(static line => line.Contains(Announcement, StringComparison.Ordinal));
        child.IsAt(new Uri(line[(line.IndexOf(Announcement, StringComparison.Ordinal) + Announcement.Length)..].Trim()));
        return child;
    }

    /// <summary>Waits for a line on standard output, printed before or later.</summary>
    public async Task<string> PrintsAsync(Func<string, bool> wanted) =>
        await _output.WaitAsync(wanted).WaitAsync(Patience)
            ?? throw new InvalidOperationException($"The process ended (exit code {await ExitCodeAsync()}):\n{string.Join('\n', Output)}\n{Errors}");

    public Task TellAsync(string line) => _process.StandardInput.WriteLineAsync(line);

    /// <summary>Ends the process at once, as a power switch would.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks the process to stop.</summary>
    public void AskToStop() => Assert.Equal(0, Signal(_process.Id, Terminate));

    /// <summary>Makes the process stand still, as a machine does that is short of memory or was put to sleep. (The numbers are those of Linux.)</summary>
    public void Pause() => Assert.Equal(0, Signal(_process.Id, Stop));

    /// <summary>The same, and returns when none of its threads will do anything any more. Of one that has ended, too.</summary>
    public void StandStill()
    {
        _ = Signal(_process.Id, Stop);
        long began = TimeProvider.System.GetTimestamp();
        while (Threads().Any(static state => state is not ('T' or 'D' or 'Z' or 'X')))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience);
            Thread.Yield();
        }
    }

    public void Resume() => Assert.Equal(0, Signal(_process.Id, Continue));

    /// <summary>Waits until the process has ended and all that it printed is here.</summary>
    public async Task EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        await _output.Ended.WaitAsync(Patience);
        await _errors.Ended.WaitAsync(Patience);
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

    /// <summary>The states of its threads. One that sleeps in the kernel stops before it is back in the program.</summary>
    private List<char> Threads()
    {
        try
        {
            return [.. Directory.GetDirectories($"/proc/{_process.Id}/task").Select(static task => File.ReadAllText(Path.Combine(task, "stat"))).Select(static text => text[text.LastIndexOf(')') + 2])];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // One of them, or all, ended meanwhile.
            return _process.HasExited ? [] : ['R'];
        }
    }

    private static string[] ArgumentsOf(string directory, string[] options) =>
    [
        $"--ResumableUploads:Directory={directory}",
        "--Logging:LogLevel:Default=Warning",
        .. options.Select(static option => "--" + option),
    ];

    private static ChildHost Launch(string[] under, string dll, string[] arguments, string? home = null)
    {
        string[] command = [.. under, "dotnet", "exec", dll, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(dll)!,
        };

        // Where a machine has such settings, they are not for the child.
        start.Environment.Remove("DOTNET_DbgEnableMiniDump");
        start.Environment.Remove("ASPNETCORE_URLS");

        // The pipes for debuggers are files, and a process that is killed leaves them behind.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        if (home is not null)
        {
            // A home that is not there yet would not be taken for one.
            Directory.CreateDirectory(home);
            start.Environment["HOME"] = home;
        }

        return new ChildHost(Process.Start(start)!);
    }

    /// <summary>The program of another project, built in the same configuration as these tests.</summary>
    internal static string DllOf(string folder, string project)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string root = own.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        return Path.Combine(root, folder, project, "bin", own.Parent.Name, own.Name, project + ".dll");
    }

    private void IsAt(Uri address)
    {
        Address = address;
        Client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = address, Timeout = Patience };
    }

    private async Task<string> ExitCodeAsync()
    {
        await EndAsync();
        return _process.ExitCode.ToString(CultureInfo.InvariantCulture);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}

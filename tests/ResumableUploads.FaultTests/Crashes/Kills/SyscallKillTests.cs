using System.Diagnostics;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>
/// The file-system store is killed at every system call that changes something, from the creation of an upload to its deletion, and opened again:
/// everything it has reported must be true.
/// </summary>
public class SyscallKillTests(ITestOutputHelper output)
{
    // Opening a file is not in the list, but the lock that the framework takes on each opened file is.
    private const string Names =
        "mkdir,rmdir,rename,renameat,renameat2,pwrite64,pwritev,ftruncate,fsync,fdatasync,unlink,unlinkat,utimensat,flock,link,linkat";

    private const int AtOnce = 2;
    private const int Killed = 128 + 9;
    private static readonly UploadKey Key = new("owner", "upload");

    /// <summary>The lines that the program prints, and the state that must be found afterwards.</summary>
    private static readonly Found[] States =
    [
        new("", null),
        new("created", new(0, 1, UploadState.Receiving)),
        new("at 1000", new(1000, 1, UploadState.Receiving)),
        new("at 6000", new(6000, 1, UploadState.Receiving)),
        new("at 9000", new(9000, 1, UploadState.Receiving)),
        new("at 9000", new(9000, 1, UploadState.Receiving)),
        new("updated", new(9000, 2, UploadState.Receiving)),
        new("at 13000", new(13_000, 2, UploadState.Receiving), IsStaged: true),
        new("still at 13000", new(13_000, 2, UploadState.Receiving), IsStaged: true),
        new("at 20000", new(20_000, 2, UploadState.Receiving)),
        new("at 20000", new(20_000, 2, UploadState.Receiving)),
        new("outcome", new(20_000, 2, UploadState.Receiving, 3)),
        new("received", new(20_000, 4, UploadState.Received, 3)),
        new("outcome", new(20_000, 4, UploadState.Received, 5)),
        new("completed", new(20_000, 6, UploadState.Completed, 5)),
        new("deleted", null),
        new("created", new(0, 7, UploadState.Receiving)),
        new("at 4000", new(4000, 7, UploadState.Receiving)),
        new("at 4000", new(4000, 7, UploadState.Receiving)),
        new("deleted", null),
        new("whole", new(3000, 8, UploadState.Completed)),
        new("deleted", null),
        new("whole", new(2000, 9, UploadState.Received)),
        new("outcome", new(2000, 9, UploadState.Received, 3)),
        new("completed", new(2000, 10, UploadState.Completed, 3)),
        new("deleted", null),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kill_at_every_system_call_keeps_what_was_reported()
    {
        await Needs.StraceAsync();
        Call[] calls = await CallsAsync();
        await Parallel.ForEachAsync(
            calls,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Token },
            async (call, _) =>
            {
                string? fault = await KillAtAsync(call);
                Assert.True(fault is null, $"Killed at {call}: {fault}");
            });
        output.WriteLine($"{calls.Length} calls: {string.Join(", ", calls.CountBy(static call => call.Name))}");
        Assert.InRange(calls.Length, 80, 1000);
    }

    [Fact]
    public async Task Store_that_reports_before_the_work_is_done_is_detected()
    {
        await Needs.StraceAsync();
        Call[] calls = await CallsAsync();
        string? fault = null;
        for (int i = calls.Length / 4; i < calls.Length && fault is null; i += 4)
        {
            fault = await KillAtAsync(calls[i], "--ReportsFirst");
        }

        output.WriteLine(fault ?? "");
        Assert.NotNull(fault);
    }

    /// <summary>Returns the system calls of the program.</summary>
    private static async Task<Call[]> CallsAsync()
    {
        using var place = new UploadDirectory();
        string log = Path.Combine(Path.GetDirectoryName(place.Root)!, "calls");
        string[] printed = await RunAsync(isKilled: false, ["-o", log, "-e", "trace=" + Names], place.Root);
        Assert.Equal(States.Skip(1).Select(static state => state.Line), printed);
        string[] lines = await File.ReadAllLinesAsync(log, Token);
        string main = lines[0].Split(' ')[0];
        string[] made = [.. lines.Where(line => line.StartsWith(main + " ", StringComparison.Ordinal) && line.Contains('(')).Select(line => line[main.Length..].Trim())];
        var counts = new Dictionary<string, int>();
        List<Call> calls = [];
        foreach (string name in made.Select(static line => line[..line.IndexOf('(')]))
        {
            // strace counts each kind of call separately.
            calls.Add(new Call(name, counts[name] = counts.GetValueOrDefault(name) + 1));
        }

        int begins = Array.FindIndex(made, static line => line.Contains(".begins\"", StringComparison.Ordinal));
        Assert.NotEqual(-1, begins);

        // Releasing a lock does not change the files.
        return [.. calls.Zip(made).Skip(begins + 1).Where(static call => !call.Second.Contains("LOCK_UN", StringComparison.Ordinal)).Select(static call => call.First)];
    }

    /// <summary>Returns what is wrong after a kill at this call, or null.</summary>
    private static async Task<string?> KillAtAsync(Call call, params string[] options)
    {
        using var place = new UploadDirectory();
        string[] printed = await RunAsync(
            isKilled: true, ["-o", "/dev/null", "-e", "trace=" + call.Name, "-e", $"inject={call.Name}:signal=KILL:when={call.Number}"], place.Root, options);
        Assert.Equal(States.Skip(1).Take(printed.Length).Select(static state => state.Line), printed);
        return await InspectAsync(place.Root, States[printed.Length], States[Math.Min(printed.Length + 1, States.Length - 1)]);
    }

    private static async Task<string?> InspectAsync(string root, Found now, Found next)
    {
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = root });
        UploadInfo? info = await store.GetAsync(Key, Token);
        UploadInfo?[] listed = await store.ListAsync(new UploadQuery(), Token).ToArrayAsync(Token);
        if (listed.SingleOrDefault()?.Version != info?.Version)
        {
            return "the listing says something else than the look at the upload";
        }

        if (info is null)
        {
            return now.Upload is null || next.Upload is null ? null : $"'{now.Line}' was reported, but the upload does not exist";
        }

        Upload[] possible = [.. new[] { now.Upload, next.Upload }.OfType<Upload>()];
        byte? outcome = (await store.GetResponseAsync(Key, Token))?.Span[0];
        long[] offsets = [.. possible.Select(static upload => upload.Offset)];
        bool isOffset = next.IsStaged ? offsets.Contains(info.Offset) : possible.Length > 0 && info.Offset >= offsets.Min() && info.Offset <= offsets.Max();
        if (!isOffset
            || !possible.Any(upload => (upload.Data, upload.State) == (info.Record.Data.Span[0], info.State))
            || !possible.Any(upload => upload.Outcome == outcome))
        {
            return $"'{now.Line}' was reported, but the store has {info.Offset} bytes, {info.State}, {info.Record.Data.Span[0]}, outcome {outcome}";
        }

        return await ContinueAsync(store, info);
    }

    private static async Task<string?> ContinueAsync(FileSystemUploadStore store, UploadInfo info)
    {
        byte[] more = new byte[100];
        AppendResult append = await store.AppendAsync(Key, info.Offset, RecordingContent.FromBytes(more), AppendMode.KeepPartial, Token);
        int added = info.State == UploadState.Receiving ? more.Length : 0;
        if (append.Status != (added > 0 ? AppendStatus.Appended : AppendStatus.NotReceiving))
        {
            return $"the next append ends in {append.Status}";
        }

        using Stream content = (await store.OpenReadAsync(Key, Token))!;
        byte[] bytes = new byte[content.Length];
        await content.ReadExactlyAsync(bytes, Token);
        byte[] expected = [.. Enumerable.Range(0, (int)info.Offset).Select(static i => (byte)(i % 251)), .. new byte[added]];
        return bytes.AsSpan().SequenceEqual(expected) ? null : $"the {bytes.Length} bytes are not those that were sent";
    }

    private static async Task<string[]> RunAsync(bool isKilled, string[] strace, string root, params string[] options)
    {
        string[] command =
        [
            "-f", "-qq", .. strace,
            "dotnet", "exec", ChildHost.DllOf("tests", "ResumableUploads.CrashHost"), "--Steps", root, .. options,
        ];
        Directory.CreateDirectory(Path.GetDirectoryName(root)!);
        var start = new ProcessStartInfo("strace", command) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using Process process = Process.Start(start)!;
        string[] texts = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(Token), process.StandardError.ReadToEndAsync(Token));
        await process.WaitForExitAsync(Token);
        Assert.True(isKilled == (process.ExitCode == Killed), $"The exit code is {process.ExitCode}. {texts[1]}");
        return texts[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private sealed record Call(string Name, int Number);

    private sealed record Found(string Line, Upload? Upload, bool IsStaged = false);

    private sealed record Upload(long Offset, byte Data, UploadState State, byte? Outcome = null);
}

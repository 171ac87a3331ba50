using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills.Syscalls;

/// <summary>
/// The file-system store is killed at every system call that changes something, from the creation of an upload to its deletion, and opened again:
/// everything it has reported must be true.
/// </summary>
public class SyscallKillTests(ITestOutputHelper output)
{
    private const int AtOnce = 2;
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
        new("received", new(20_000, 4, UploadState.Received)),
        new("completed", new(20_000, 5, UploadState.Completed, 3)),
        new("completed", new(20_000, 6, UploadState.Completed, 5)),
        new("deleted", null),
        new("created", new(0, 7, UploadState.Receiving)),
        new("at 4000", new(4000, 7, UploadState.Receiving)),
        new("at 4000", new(4000, 7, UploadState.Receiving)),
        new("deleted", null),
        new("whole", new(3000, 8, UploadState.Completed)),
        new("deleted", null),
        new("whole", new(2000, 9, UploadState.Received)),
        new("completed", new(2000, 10, UploadState.Completed, 3)),
        new("completed", new(2000, 15, UploadState.Completed, 4)),
        new("deleted", null),
        new("created", new(0, 11, UploadState.Receiving)),
        new("at 3000", new(3000, 12, UploadState.Received)),
        new("at 3000", new(3000, 12, UploadState.Received)),
        new("deleted", null),
        new("created", new(0, 13, UploadState.Receiving)),
        new("at 2000", new(2000, 14, UploadState.Received)),
        new("at 2000", new(2000, 14, UploadState.Received)),
        new("deleted", null),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Kill_at_every_system_call_keeps_what_was_reported(Durability durability)
    {
        await Needs.StraceAsync();
        Syscall[] calls = await CallsAsync(durability);
        await Parallel.ForEachAsync(
            calls,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Token },
            async (call, _) =>
            {
                string? fault = await KillAtAsync(call, durability);
                Assert.True(fault is null, $"Killed at {call}: {fault}");
            });
        output.WriteLine($"{calls.Length} calls: {string.Join(", ", calls.CountBy(static call => call.Name))}");
        Assert.InRange(calls.Length, 60, 1000);
    }

    [Fact]
    public async Task Store_that_reports_before_the_work_is_done_is_detected()
    {
        await Needs.StraceAsync();
        Syscall[] calls = await CallsAsync(Durability.PowerLoss);
        string? fault = null;
        for (int i = calls.Length / 4; i < calls.Length && fault is null; i += 4)
        {
            fault = await KillAtAsync(calls[i], Durability.PowerLoss, "--ReportsFirst");
        }

        output.WriteLine(fault ?? "");
        Assert.NotNull(fault);
    }

    /// <summary>Returns the system calls of the program.</summary>
    private static async Task<Syscall[]> CallsAsync(Durability durability)
    {
        using var place = new UploadDirectory();
        (Syscall[] calls, string[] printed) = await new SyscallTracer(["--Steps", place.Root, durability.ToString()]).ListAsync(Path.GetDirectoryName(place.Root)!);
        Assert.Equal(States.Skip(1).Select(static state => state.Line), printed);
        return calls;
    }

    /// <summary>Returns what is wrong after a kill at this call, or null.</summary>
    private static async Task<string?> KillAtAsync(Syscall call, Durability durability, params string[] options)
    {
        using var place = new UploadDirectory();
        string[] printed = await new SyscallTracer(["--Steps", place.Root, durability.ToString(), .. options]).KillAtAsync(call);
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

    private sealed record Found(string Line, Upload? Upload, bool IsStaged = false);

    private sealed record Upload(long Offset, byte Data, UploadState State, byte? Outcome = null);
}

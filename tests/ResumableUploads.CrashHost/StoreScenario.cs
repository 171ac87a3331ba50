using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.CrashHost;

/// <summary>
/// Runs uploads through their whole life in a file-system store, on one thread and without a server, so that a test can kill the process at each system call.
/// Prints the result of each store call at once, one per line.
/// </summary>
/// <param name="root">The directory of the store.</param>
/// <param name="durability">The durability of the uploads.</param>
/// <param name="reportsFirst">Whether it prints the results of changes, except appends, before it makes them: a defect that the tests must detect.</param>
internal sealed class StoreScenario(string root, Durability durability, bool reportsFirst)
{
    private static readonly UploadKey Key = new("owner", "upload");

    private readonly FileSystemUploadStore _store = OneThread.CreateStore(new FileSystemUploadStoreOptions { Directory = root, Durability = durability, SyncSize = 1 });

    public void Run()
    {
        // The tests count system calls from this one on.
        Directory.CreateDirectory(root + ".begins");
        RunAndReport("created", () => GetResult(_store.CreateAsync(Key, CreateRecord(1), default)));
        Append(0, AppendMode.KeepPartial, true, 1000, 5000, 3000);
        RunAndReport("updated", () => Update(2, UploadState.Receiving));
        Append(9000, AppendMode.AllOrNothing, true, 2000, 2000);
        Append(13_000, AppendMode.AllOrNothing, false, 2000);
        Append(13_000, AppendMode.KeepPartial, true, 7000);
        RunAndReport("received", () => Update(4, UploadState.Received));
        RunAndReport("completed", () => Complete(5, response: 3, 10));
        RunAndReport("completed", () => Complete(6, response: 5, 20_000));
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, null, default)));
        RunAndReport("created", () => GetResult(_store.CreateAsync(Key, CreateRecord(7), default)));
        Append(0, AppendMode.KeepPartial, true, 4000);
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, GetVersion(), default)));
        CreateCompleted(8, UploadState.Completed, 3000);
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, GetVersion(), default)));
        CreateCompleted(9, UploadState.Received, 2000);
        RunAndReport("completed", () => Complete(10, response: 3, 20_000));
        RunAndReport("completed", () => Complete(15, response: 4, 10));
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, null, default)));
        AppendFinal(created: 11, final: 12, isDeferrable: false, size: 3000);
        AppendFinal(created: 13, final: 14, isDeferrable: true, size: 2000);
    }

    private void CreateCompleted(byte data, UploadState state, int size) =>
        RunAndReport("whole", () => GetResult(_store.CreateCompletedAsync(Key, CreateRecord(data, state), new ReadOnlySequence<byte>(ChunkedContent.GetBytes(0, size)), default)));

    /// <summary>Creates an upload, receives it with one append, and deletes it.</summary>
    private void AppendFinal(byte created, byte final, bool isDeferrable, int size)
    {
        RunAndReport("created", () => GetResult(_store.CreateAsync(Key, CreateRecord(created), default)));
        Append(0, AppendMode.KeepPartial, true, new FinalRecord(CreateRecord(final, UploadState.Received), isDeferrable), size);
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, GetVersion(), default)));
    }

    private void Append(long offset, AppendMode mode, bool isCommitted, params int[] chunks) => Append(offset, mode, isCommitted, final: null, chunks);

    private void Append(long offset, AppendMode mode, bool isCommitted, FinalRecord? final, params int[] chunks)
    {
        var content = new ChunkedContent(offset, chunks, isCommitted, WriteLine) { Final = final };
        RunAndReport($"{(isCommitted ? "at" : "still at")} {offset + (isCommitted ? chunks.Sum() : 0)}", () => GetResult(_store.AppendAsync(Key, offset, content, mode, default)));
    }

    private void RunAndReport(string line, Action step)
    {
        if (reportsFirst && !line.Contains("at ", StringComparison.Ordinal))
        {
            WriteLine(line);
            step();
        }
        else
        {
            step();
            WriteLine(line);
        }
    }

    private static void WriteLine(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    private static T GetResult<T>(ValueTask<T> task) => task.AsTask().GetAwaiter().GetResult();

    private static UploadRecord CreateRecord(byte data, UploadState state = UploadState.Receiving) => new() { State = state, Data = new[] { data } };

    private string GetVersion() => GetResult(_store.GetAsync(Key, default))!.Version;

    private void Update(byte data, UploadState state) => GetResult(_store.UpdateAsync(Key, GetVersion(), CreateRecord(data, state), default));

    /// <summary>Completes the upload with a response of one value. A long response is stored in a file of its own.</summary>
    private void Complete(byte data, byte response, int length) => GetResult(_store.CompleteAsync(
        Key, GetVersion(), CreateRecord(data, UploadState.Completed), Enumerable.Repeat(response, length).ToArray(), default));

    /// <summary>Content whose bytes depend on their offset, delivered in reads of the given sizes.</summary>
    private sealed class ChunkedContent(long offset, int[] chunks, bool isCommitted, Action<string> report) : UploadContent
    {
        public override PipeReader Reader { get; } = new ChunkedReader(offset, chunks);

        public static byte[] GetBytes(long offset, int count) => [.. Enumerable.Range(0, count).Select(i => (byte)((offset + i) % 251))];

        public override void ReportDurable(long durableOffset) => report($"at {durableOffset}");

        public FinalRecord? Final { get; init; }

        public override FinalRecord? GetFinalRecord(long offset) => Final;

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(isCommitted);
    }

    private sealed class ChunkedReader(long offset, int[] chunks) : PipeReader
    {
        private int _next;

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            TryRead(out ReadResult result) ? ValueTask.FromResult(result) : throw new InvalidOperationException("The content has ended.");

        public override bool TryRead(out ReadResult result)
        {
            bool hasChunk = _next < chunks.Length;
            byte[] bytes = hasChunk ? ChunkedContent.GetBytes(offset + chunks.Take(_next).Sum(), chunks[_next]) : [];
            _next++;
            result = new ReadResult(new ReadOnlySequence<byte>(bytes), isCanceled: false, isCompleted: _next == chunks.Length);
            return hasChunk;
        }

        public override void AdvanceTo(SequencePosition consumed)
        {
        }

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
        }

        public override void CancelPendingRead()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.CrashHost;

/// <summary>
/// Runs the life of an upload in a file-system store on one thread and without a server, so that a test can kill it at each system call. Reports each
/// result of the store on standard output as soon as it is known.
/// </summary>
/// <param name="root">The directory of the store.</param>
/// <param name="reportsFirst">Whether changes other than appends are reported before they are made. A test uses this to check that it detects such a store.</param>
internal sealed class StoreScenario(string root, bool reportsFirst)
{
    private static readonly UploadKey Key = new("owner", "upload");

    private readonly FileSystemUploadStore _store = new(new FileSystemUploadStoreOptions { Directory = root, SyncSize = 1 });

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
        RunAndReport("outcome", () => PutResponse(3));
        RunAndReport("received", () => Update(4, UploadState.Received));
        RunAndReport("outcome", () => PutResponse(5));
        RunAndReport("completed", () => Update(6, UploadState.Completed));
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, null, default)));
        RunAndReport("created", () => GetResult(_store.CreateAsync(Key, CreateRecord(7), default)));
        Append(0, AppendMode.KeepPartial, true, 4000);
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, GetVersion(), default)));
        CreateCompleted(8, UploadState.Completed, 3000);
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, GetVersion(), default)));
        CreateCompleted(9, UploadState.Received, 2000);
        RunAndReport("outcome", () => PutResponse(3));
        RunAndReport("completed", () => Update(10, UploadState.Completed));
        RunAndReport("deleted", () => GetResult(_store.DeleteAsync(Key, null, default)));
    }

    private void CreateCompleted(byte data, UploadState state, int size) =>
        RunAndReport("whole", () => GetResult(_store.CreateCompletedAsync(Key, CreateRecord(data, state), new ReadOnlySequence<byte>(ChunkedContent.GetBytes(0, size)), default)));

    private void Append(long offset, AppendMode mode, bool isWanted, params int[] pieces)
    {
        var content = new ChunkedContent(offset, pieces, isWanted, WriteLine);
        RunAndReport($"{(isWanted ? "at" : "still at")} {offset + (isWanted ? pieces.Sum() : 0)}", () => GetResult(_store.AppendAsync(Key, offset, content, mode, default)));
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

    private void PutResponse(byte outcome) => _store.PutResponseAsync(Key, new[] { outcome }, default).AsTask().GetAwaiter().GetResult();

    /// <summary>Content whose bytes depend on their offset, returned in several reads.</summary>
    private sealed class ChunkedContent(long offset, int[] pieces, bool isWanted, Action<string> report) : UploadContent
    {
        public override PipeReader Reader { get; } = new ChunkedReader(offset, pieces);

        public static byte[] GetBytes(long offset, int count) => [.. Enumerable.Range(0, count).Select(i => (byte)((offset + i) % 251))];

        public override void ReportDurable(long durableOffset) => report($"at {durableOffset}");

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(isWanted);
    }

    private sealed class ChunkedReader(long offset, int[] pieces) : PipeReader
    {
        private int _next;

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            TryRead(out ReadResult result) ? ValueTask.FromResult(result) : throw new InvalidOperationException("The content has ended.");

        public override bool TryRead(out ReadResult result)
        {
            bool isThere = _next < pieces.Length;
            byte[] bytes = isThere ? ChunkedContent.GetBytes(offset + pieces.Take(_next).Sum(), pieces[_next]) : [];
            _next++;
            result = new ReadResult(new ReadOnlySequence<byte>(bytes), isCanceled: false, isCompleted: _next == pieces.Length);
            return isThere;
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

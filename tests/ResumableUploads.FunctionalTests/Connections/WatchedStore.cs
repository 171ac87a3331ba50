using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>What is known of the last append to one upload.</summary>
/// <param name="Stored">The offset up to which its bytes were written, and given back to the server.</param>
/// <param name="IsWaiting">Whether it has taken all that there is, and waits for the client.</param>
/// <param name="Running">How many appends run.</param>
internal sealed record Sight(long Stored, bool IsWaiting, int Running);

/// <summary>Passes everything on to another store, and tells the test when bytes were stored: an event where there would be a sleep.</summary>
internal sealed class WatchedStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, Sight> _sights = [];
    private readonly List<(UploadKey Key, Func<Sight, bool> Condition, TaskCompletionSource Met)> _waiting = [];

    /// <summary>Runs before each append, with its content: a store that says more than it should.</summary>
    public Action<UploadContent>? Appending { get; set; }

    /// <summary>Runs before each read of a body: a disk that takes its time.</summary>
    public Func<Task>? BeforeRead { get; set; }

    /// <summary>Runs after each read of a body, before its bytes are written.</summary>
    public Func<Task>? AfterRead { get; set; }

    /// <summary>The key of an upload of a client without cookies, at <c>/upload</c>.</summary>
    public static UploadKey KeyOf(string fileId) => UploadKeyFactory.FromFileId("anonymous", "/upload", Encoding.Latin1.GetBytes(fileId));

    public Task StoredAsync(string fileId, long offset) => UntilAsync(fileId, sight => sight.Stored >= offset);

    /// <summary>Until the server has stored that much, and waits for more.</summary>
    public Task WaitingAsync(string fileId, long offset) => UntilAsync(fileId, sight => sight.Stored >= offset && sight.IsWaiting);

    /// <summary>The same for an upload of another protocol.</summary>
    public Task WaitingAsync(UploadKey key, long offset) => UntilAsync(key, sight => sight.Stored >= offset && sight.IsWaiting);

    public Sight SightOf(string fileId) => SightOf(KeyOf(fileId));

    public Sight SightOf(UploadKey key)
    {
        lock (_lock)
        {
            return _sights[key];
        }
    }

    public Task UntilAsync(string fileId, Func<Sight, bool> condition) => UntilAsync(KeyOf(fileId), condition);

    public Task UntilAsync(UploadKey key, Func<Sight, bool> condition)
    {
        lock (_lock)
        {
            if (_sights.TryGetValue(key, out Sight? sight) && condition(sight))
            {
                return Task.CompletedTask;
            }

            var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((key, condition, met));
            return met.Task.WaitAsync(Patience);
        }
    }

    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        var watched = new WatchedContent(this, key, content);
        Change(key, sight => new Sight(offset, false, sight.Running + 1));
        Appending?.Invoke(content);
        try
        {
            return await InnerStore.AppendAsync(key, offset, watched, mode, cancellationToken);
        }
        finally
        {
            Change(key, static sight => sight with { IsWaiting = false, Running = sight.Running - 1 });
        }
    }

    private void Change(UploadKey key, Func<Sight, Sight> change)
    {
        lock (_lock)
        {
            Sight sight = change(_sights.GetValueOrDefault(key) ?? new Sight(0, false, 0));
            _sights[key] = sight;
            _waiting.RemoveAll(waiter => waiter.Key == key && waiter.Condition(sight) && waiter.Met.TrySetResult());
        }
    }

    private sealed class WatchedContent(WatchedStore store, UploadKey key, UploadContent inner) : UploadContent
    {
        private readonly WatchedReader _reader = new(store, key, inner.Reader);

        public override PipeReader Reader => _reader;

        public override long? ExpectedLength => inner.ExpectedLength;

        public override void ReportDurable(long durableOffset) => inner.ReportDurable(durableOffset);

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => inner.ShouldCommitAsync(cancellationToken);
    }

    private sealed class WatchedReader(WatchedStore store, UploadKey key, PipeReader inner) : PipeReader
    {
        private ReadOnlySequence<byte> _given;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            if (store.BeforeRead is { } first)
            {
                await first();
            }

            ValueTask<ReadResult> read = inner.ReadAsync(cancellationToken);
            bool waits = !read.IsCompleted;
            if (waits)
            {
                store.Change(key, static sight => sight with { IsWaiting = true });
            }

            ReadResult result = await read;
            if (waits)
            {
                store.Change(key, static sight => sight with { IsWaiting = false });
            }

            _given = result.Buffer;
            if (!_given.IsEmpty && store.AfterRead is { } then)
            {
                await then();
            }

            return result;
        }

        public override bool TryRead(out ReadResult result)
        {
            bool read = inner.TryRead(out result);
            _given = read ? result.Buffer : default;
            return read;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            long count = _given.Slice(_given.Start, consumed).Length;
            inner.AdvanceTo(consumed, examined);
            store.Change(key, sight => sight with { Stored = sight.Stored + count });
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}

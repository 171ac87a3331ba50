using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>The observed state of the last append to an upload.</summary>
/// <param name="Stored">The offset up to which the store has written and consumed the body.</param>
/// <param name="IsWaiting">Whether the store has consumed all received bytes and waits for the client.</param>
/// <param name="Running">The number of running appends.</param>
internal sealed record Sight(long Stored, bool IsWaiting, int Running);

/// <summary>Forwards all calls to another store, and lets a test wait until bytes are stored.</summary>
internal sealed class WatchedStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);
    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, Sight> _sights = [];
    private readonly List<(UploadKey Key, Func<Sight, bool> Condition, TaskCompletionSource Met)> _waiting = [];

    /// <summary>Gets or sets an action that runs before each append and receives its content.</summary>
    public Action<UploadContent>? Appending { get; set; }

    /// <summary>Gets or sets a function that runs before each read of a body. It can simulate a slow disk.</summary>
    public Func<Task>? BeforeRead { get; set; }

    /// <summary>Gets or sets a function that runs after each read of a body, before the bytes are written.</summary>
    public Func<Task>? AfterRead { get; set; }

    /// <summary>Returns the key of an upload at <c>/upload</c> by a client without cookies.</summary>
    public static UploadKey KeyOf(string fileId) => UploadKeyFactory.FromFileId("anonymous", UploadScopes.OfMiddleware(), Encoding.Latin1.GetBytes(fileId));

    public Task StoredAsync(string fileId, long offset) => UntilAsync(fileId, sight => sight.Stored >= offset);

    /// <summary>Waits until the store has written the bytes up to an offset and waits for more.</summary>
    public Task WaitingAsync(string fileId, long offset) => UntilAsync(fileId, sight => sight.Stored >= offset && sight.IsWaiting);

    /// <summary>Waits until the store has written the bytes up to an offset and waits for more.</summary>
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
            return met.Task.WaitAsync(Timeout);
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

        public override bool CanAppendTo(UploadRecord record) => inner.CanAppendTo(record);

        public override void RequestRelease() => inner.RequestRelease();
    }

    private sealed class WatchedReader(WatchedStore store, UploadKey key, PipeReader inner) : PipeReader
    {
        private ReadOnlySequence<byte> _buffer;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            if (store.BeforeRead is { } beforeRead)
            {
                await beforeRead();
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

            _buffer = result.Buffer;
            if (!_buffer.IsEmpty && store.AfterRead is { } afterRead)
            {
                await afterRead();
            }

            return result;
        }

        public override bool TryRead(out ReadResult result)
        {
            bool read = inner.TryRead(out result);
            _buffer = read ? result.Buffer : default;
            return read;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            long count = _buffer.Slice(_buffer.Start, consumed).Length;
            inner.AdvanceTo(consumed, examined);
            store.Change(key, sight => sight with { Stored = sight.Stored + count });
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}

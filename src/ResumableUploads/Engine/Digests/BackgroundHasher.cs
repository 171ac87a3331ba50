using System.Buffers;

namespace ResumableUploads.Engine.Digests;

/// <summary>
/// Hashes bytes on a thread-pool thread while they are being stored. If the thread pool has not started the work item by the time
/// the result is needed, the caller hashes the bytes itself instead of waiting for the thread pool.
/// </summary>
internal sealed class BackgroundHasher(IncrementalDigest digest) : IThreadPoolWorkItem, IDisposable
{
    /// <summary>
    /// The minimum length, in bytes, of a buffer that is hashed on the thread pool. Shorter buffers are hashed synchronously, because queueing a
    /// work item would take longer.
    /// </summary>
    private const int MinBackgroundLength = 64 * 1024;

    private readonly ManualResetEventSlim _done = new(initialState: true);
    private ReadOnlySequence<byte> _bytes;
    private int _isQueued;

    /// <summary>
    /// Starts hashing the bytes, after the previous bytes are hashed. Hashes short buffers synchronously. The memory must not be modified or
    /// released until <see cref="Finish"/> returns.
    /// </summary>
    public void Start(in ReadOnlySequence<byte> bytes)
    {
        Finish();
        if (bytes.Length < MinBackgroundLength)
        {
            digest.Append(bytes);
            return;
        }

        _bytes = bytes;
        _done.Reset();
        Volatile.Write(ref _isQueued, 1);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Waits until the bytes are hashed. Hashes them on the calling thread if the thread pool has not started to.</summary>
    public void Finish()
    {
        Execute();
        _done.Wait();
    }

    /// <summary>
    /// Hashes the queued bytes, if any. The thread pool may call this method after <see cref="Finish"/> has already hashed the bytes. The call
    /// then does nothing, or hashes the bytes of a later <see cref="Start"/>.
    /// </summary>
    public void Execute()
    {
        if (Interlocked.Exchange(ref _isQueued, 0) == 1)
        {
            try
            {
                digest.Append(_bytes);
            }
            finally
            {
                _bytes = default;
                _done.Set();
            }
        }
    }

    public void Dispose()
    {
        Finish();
        _done.Dispose();
    }
}

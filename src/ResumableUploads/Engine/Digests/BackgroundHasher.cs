using System.Buffers;

namespace ResumableUploads.Engine.Digests;

/// <summary>
/// Hashes bytes on a thread-pool thread while they are being stored. If the thread pool has not started the work item by the time
/// the result is needed, the caller hashes the bytes itself, so that it never waits for a busy thread pool.
/// </summary>
internal sealed class BackgroundHasher(IncrementalDigest digest) : IThreadPoolWorkItem, IDisposable
{
    /// <summary>Hashing fewer bytes takes less time than queueing them.</summary>
    private const int MinBackgroundLength = 64 * 1024;

    private readonly ManualResetEventSlim _done = new(initialState: true);
    private ReadOnlySequence<byte> _bytes;
    private int _isQueued;

    /// <summary>Starts to hash bytes. The memory must stay valid until <see cref="Finish"/> returns.</summary>
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

    /// <summary>Returns when all bytes are hashed.</summary>
    public void Finish()
    {
        Execute();
        _done.Wait();
    }

    /// <summary>
    /// Hashes the queued bytes, if any. A late call of the thread pool finds the bytes hashed already, or hashes those that were
    /// queued after them.
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

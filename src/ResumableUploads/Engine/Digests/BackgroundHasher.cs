using System.Buffers;

namespace ResumableUploads.Engine.Digests;

/// <summary>
/// Hashes bytes on another thread while they are stored, one stretch after the other. Who needs the end and finds that no thread has begun does it itself:
/// so nobody waits for a thread that may not come.
/// </summary>
internal sealed class BackgroundHasher(IncrementalDigest digest) : IThreadPoolWorkItem, IDisposable
{
    /// <summary>Less is hashed sooner than handed over.</summary>
    private const int MinBackgroundLength = 64 * 1024;

    private readonly ManualResetEventSlim _done = new(initialState: true);
    private ReadOnlySequence<byte> _bytes;
    private int _isQueued;

    /// <summary>Begins with bytes that stay as they are until <see cref="Finish"/>.</summary>
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

    /// <summary>May come late, when the bytes that it was called for are hashed: then it does nothing, or begins with those that came after them.</summary>
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

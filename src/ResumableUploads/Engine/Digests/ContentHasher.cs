using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Digests;

/// <summary>
/// Hashes the stored content of uploads. The state of each hash is kept in memory for a while, so that bytes are not hashed again for the next request or after
/// a cancellation.
/// </summary>
internal sealed class ContentHasher(IUploadStore store)
{
    private const int MaxStates = 256;
    private const int BufferSize = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, HashState> _states = [];

    /// <summary>Returns the hash of the first bytes of an upload. More bytes can be appended to it. The caller disposes it.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="created">The time at which the upload was created, which differs if the key is used again.</param>
    /// <param name="algorithm">The algorithm.</param>
    /// <param name="length">The number of bytes that are stored.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <exception cref="UploadStoreException">The content cannot be read. Its durable offset is <paramref name="length"/>.</exception>
    public async ValueTask<IIncrementalHash> HashAsync(
        UploadKey key, DateTimeOffset created, DigestAlgorithm algorithm, long length, CancellationToken cancellationToken)
    {
        HashState state = Take(key, created, algorithm, length) ?? new HashState(created, algorithm);
        try
        {
            if (state.Length < length)
            {
                await using Stream content = await store.OpenReadAsync(key, cancellationToken) ?? Stream.Null;
                content.Position = state.Length;
                await AppendAsync(state, content, length, cancellationToken);
                if (state.Length < length)
                {
                    throw new UploadStoreException(
                        StoreFailure.Unavailable, $"The content of upload {key} ended after {state.Length} of {length} bytes, so its digest was not computed.", length);
                }
            }

            return state.Hash.Clone();
        }
        catch (UploadStoreException e) when (e.DurableOffset is null)
        {
            throw new UploadStoreException(e.Failure, e.Message, length, e);
        }
        finally
        {
            Keep(key, state);
        }
    }

    /// <summary>Forgets the hash of an upload that is removed.</summary>
    public void Remove(UploadKey key)
    {
        lock (_lock)
        {
            if (_states.Remove(key, out HashState? state))
            {
                state.Hash.Dispose();
            }
        }
    }

    private static async ValueTask AppendAsync(HashState state, Stream content, long length, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (state.Length < length)
            {
                int read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferSize, length - state.Length)), cancellationToken);
                if (read == 0)
                {
                    return;
                }

                state.Hash.Append(buffer.AsSpan(0, read));
                state.Length += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private HashState? Take(UploadKey key, DateTimeOffset created, DigestAlgorithm algorithm, long length)
    {
        lock (_lock)
        {
            if (!_states.Remove(key, out HashState? state))
            {
                return null;
            }

            if (state.Created == created && state.Algorithm == algorithm && state.Length <= length)
            {
                return state;
            }

            state.Hash.Dispose();
            return null;
        }
    }

    private void Keep(UploadKey key, HashState state)
    {
        lock (_lock)
        {
            if (_states.Remove(key, out HashState? other))
            {
                other.Hash.Dispose();
            }
            else if (_states.Count == MaxStates)
            {
                // Any of them: the state of an upload is only needed if its client reconnects.
                UploadKey evicted = _states.Keys.First();
                _states[evicted].Hash.Dispose();
                _states.Remove(evicted);
            }

            _states.Add(key, state);
        }
    }

    private sealed class HashState(DateTimeOffset created, DigestAlgorithm algorithm)
    {
        public DateTimeOffset Created { get; } = created;

        public DigestAlgorithm Algorithm { get; } = algorithm;

        public IIncrementalHash Hash { get; } = algorithm.CreateHash();

        public long Length { get; set; }
    }
}

using System.Runtime.InteropServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.ProgressEvents;

/// <summary>Counts the clients that follow uploads. The endpoints of an application share it, so that the limits hold for the process.</summary>
internal sealed class ProgressFollowers
{
    /// <summary>The maximum number of followers of an upload. For an upload of an anonymous client, that of each client network.</summary>
    public const int MaxPerUpload = 16;

    /// <summary>The maximum number of followers of the uploads of an owner. All anonymous clients of a network count as one owner.</summary>
    public const int MaxPerOwner = 64;

    /// <summary>The maximum number of followers in the process.</summary>
    public const int MaxPerProcess = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(UploadKey Key, string? Network), int> _byUpload = [];
    private readonly Dictionary<(string? Owner, string? Network), int> _byOwner = [];
    private int _count;

    /// <summary>Gets the number of followers in the process.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Adds a follower.</summary>
    /// <param name="key">The upload.</param>
    /// <param name="network">The network of the client if it is anonymous, otherwise <see langword="null"/>.</param>
    /// <param name="follower">The follower, which is removed when it is disposed, or <see langword="null"/> if a limit is reached.</param>
    /// <returns>Whether the follower was added, or which limit is reached.</returns>
    public FollowerLimit TryAdd(UploadKey key, string? network, out IDisposable? follower)
    {
        follower = null;
        (UploadKey Key, string? Network) upload = (key, network);

        // An anonymous client can become as many owners as it likes.
        (string? Owner, string? Network) owner = network is null ? (key.Owner, null) : (null, network);
        lock (_lock)
        {
            if (_byUpload.GetValueOrDefault(upload) >= MaxPerUpload || _byOwner.GetValueOrDefault(owner) >= MaxPerOwner)
            {
                return FollowerLimit.UploadOrOwner;
            }

            if (_count >= MaxPerProcess)
            {
                return FollowerLimit.Process;
            }

            _count++;
            CollectionsMarshal.GetValueRefOrAddDefault(_byUpload, upload, out _)++;
            CollectionsMarshal.GetValueRefOrAddDefault(_byOwner, owner, out _)++;
        }

        follower = new Follower(this, upload, owner);
        return FollowerLimit.None;
    }

    private void Remove((UploadKey Key, string? Network) upload, (string? Owner, string? Network) owner)
    {
        lock (_lock)
        {
            _count--;
            Decrement(_byUpload, upload);
            Decrement(_byOwner, owner);
        }
    }

    /// <summary>Decrements a count. Removes it at zero, so that the dictionary contains only uploads and owners that have followers.</summary>
    private static void Decrement<TKey>(Dictionary<TKey, int> counts, TKey key) where TKey : notnull
    {
        if (--CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _) == 0)
        {
            counts.Remove(key);
        }
    }

    private sealed class Follower(ProgressFollowers followers, (UploadKey Key, string? Network) upload, (string? Owner, string? Network) owner) : IDisposable
    {
        private bool _isRemoved;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _isRemoved, true))
            {
                followers.Remove(upload, owner);
            }
        }
    }
}

/// <summary>Specifies the limit that refuses a follower.</summary>
internal enum FollowerLimit
{
    /// <summary>No limit is reached.</summary>
    None,

    /// <summary>The upload, its owner, or the network of an anonymous client has too many followers.</summary>
    UploadOrOwner,

    /// <summary>The process has too many followers.</summary>
    Process,
}

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Takeover;

/// <summary>The mailboxes of the other processes that use the directory of the store.</summary>
internal sealed class PeerMailboxes(StoreContext context)
{
    /// <summary>The time after which the directory is read again.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromMilliseconds(500);

    private readonly FileLayer _files = context.Files;
    private volatile Snapshot? _snapshot;

    /// <summary>Gets or sets the path of the mailbox of this process, or null if it has none.</summary>
    public string? OwnPath { get; set; }

    /// <summary>Gets whether the directory must be read before <see cref="Paths"/> is used.</summary>
    public bool IsOutdated => _snapshot is not { } snapshot || context.TimeProvider.GetElapsedTime(snapshot.Timestamp) > MaxAge;

    /// <summary>Gets the paths of the mailboxes as they were last read.</summary>
    public string[] Paths => _snapshot?.Paths ?? [];

    /// <summary>Reads the mailboxes that exist now.</summary>
    public string[] Read()
    {
        long timestamp = context.TimeProvider.GetTimestamp();
        string[] paths;
        try
        {
            paths = [.. _files.GetDirectoryNames(context.Paths.Mailboxes, after: null, int.MaxValue).Select(name => Path.Join(context.Paths.Mailboxes, name)).Where(path => path != OwnPath)];
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            paths = [];
        }

        _snapshot = new Snapshot(timestamp, paths);
        return paths;
    }

    /// <summary>Leaves a request in all mailboxes.</summary>
    /// <param name="name">The nonce of an upload, or the name of a mailbox.</param>
    public void Send(string name)
    {
        foreach (string path in Paths)
        {
            Send(path, name);
        }
    }

    private void Send(string path, string name)
    {
        try
        {
            _files.CreateFile(Path.Join(path, name)).Dispose();
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // The process has died, has not read an earlier request for the same upload, or the disk is full.
            if (!IsLocked(path))
            {
                Mailbox.Delete(_files, path);
            }
        }
    }

    /// <summary>Returns whether a process holds the lock of a mailbox.</summary>
    public bool IsLocked(string path) => _files.IsLocked(Mailbox.GetLockPath(path));

    private sealed record Snapshot(long Timestamp, string[] Paths);
}

using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Takeover;

/// <summary>Takes over an upload: asks the process that holds its lock to release it, and waits.</summary>
internal sealed class TakeoverOperation(StoreContext context, RecordFile records, PeerMailboxes peers)
{
    private static readonly TimeSpan MaxPollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>The number of polls after which a request is repeated: the process may just have taken the lock when it received the first one.</summary>
    private const int PollsPerRequest = 10;

    public async ValueTask<TakeoverStatus> RunAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!peers.IsOutdated && peers.Paths.Length == 0)
        {
            return TakeoverStatus.NotShared;
        }

        var options = new DiskCallOptions(key.Owner, DiskCallKind.Read, TimeSpan.Zero);
        var backoff = new Backoff(context.TimeProvider, timeout, MaxPollInterval);
        for (int poll = 0; ; poll++)
        {
            bool isSending = poll % PollsPerRequest == 0;
            if (!await context.Scheduler.RunAsync(options, (this, key, isSending), static s => s.Item1.CheckAppend(s.key, s.isSending), cancellationToken))
            {
                return poll == 0 ? TakeoverStatus.NotAppending : TakeoverStatus.Released;
            }

            if (!await backoff.WaitAsync(cancellationToken))
            {
                return TakeoverStatus.StillAppending;
            }
        }
    }

    /// <summary>Returns whether another process appends to an upload, and asks it to end.</summary>
    private bool CheckAppend(UploadKey key, bool isSending)
    {
        if (peers.IsOutdated)
        {
            peers.Read();
        }

        using FileSnapshot? snapshot = records.ReadSnapshot(key);
        if (peers.Paths.Length == 0 || records.ReadUnsynced(key, snapshot) is not { Record.State: UploadState.Receiving } record
            || !IsLocked(record.Nonce, new UploadFilePaths(context.Paths.GetUploadDirectory(key), record.Nonce).LockPath))
        {
            return false;
        }

        if (isSending)
        {
            peers.Send(record.Nonce);
        }

        return true;
    }

    private bool IsLocked(string nonce, string path)
    {
        // Other threads of this process must not find the lock of this check, and take it for that of an append.
        using KeyedLocks.KeyedLock? entered = context.TryEnterUpload(nonce);
        return entered is null || context.Files.IsLocked(path);
    }
}

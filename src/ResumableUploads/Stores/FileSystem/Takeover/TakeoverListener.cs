using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Takeover;

/// <summary>Ends running appends of this process when other processes ask for it in its mailbox.</summary>
internal sealed class TakeoverListener(StoreContext context, DirectorySync directorySync, PeerMailboxes peers, RunningAppends appends)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(10);

    /// <summary>The time in which every running process has looked into its mailbox.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(15);

    private static readonly DiskCallOptions CallOptions = StoreContext.EnumerationCall;

    private readonly FileLayer _files = context.Files;

    public async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await OpenAndReadAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Log.TakeoverUnavailable(context.Logger, context.Paths.Root, e);
            }

            await Task.Delay(RetryDelay, context.TimeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task OpenAndReadAsync(CancellationToken cancellationToken)
    {
        Mailbox mailbox = await RunAsync(Open, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task answers = Task.CompletedTask;
        try
        {
            using var signal = new MailboxSignal(mailbox.Path, appends, context.TimeProvider);
            string[] unlocked = await RunAsync(() => Introduce(mailbox), cancellationToken);
            if (peers.Paths.Length > 0)
            {
                signal.StartWatching();
            }

            answers = CheckUnlockedAsync(mailbox, unlocked, stop.Token);
            while (true)
            {
                List<string> requests = await RunAsync(mailbox.TakeRequests, cancellationToken);
                if (requests.Count > 0)
                {
                    signal.StartWatching();
                }

                requests.ForEach(appends.RequestRelease);
                await signal.WaitAsync(cancellationToken);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await answers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            peers.OwnPath = null;
            await RunAsync(
                () =>
                {
                    mailbox.Dispose();
                    return true;
                },
                CancellationToken.None);
        }
    }

    private Mailbox Open()
    {
        directorySync.EnsureDirectories();
        var mailbox = Mailbox.Open(_files, context.Paths);
        peers.OwnPath = mailbox.Path;
        return mailbox;
    }

    /// <summary>Leaves the name of a new mailbox in the others, and returns those whose lock no process holds.</summary>
    private string[] Introduce(Mailbox mailbox)
    {
        string[] paths = peers.Read();
        peers.Send(Path.GetFileName(mailbox.Path));
        return [.. paths.Where(path => !peers.IsLocked(path))];
    }

    /// <summary>
    /// Deletes the mailboxes of processes that have died. A process that reads its mailbox although its lock can be taken runs on a machine that does not share its
    /// locks with this one.
    /// </summary>
    private async Task CheckUnlockedAsync(Mailbox mailbox, string[] unlocked, CancellationToken cancellationToken)
    {
        if (unlocked.Length == 0)
        {
            return;
        }

        await Task.Delay(AnswerTimeout, context.TimeProvider, cancellationToken);
        await RunAsync(
            () =>
            {
                foreach (string path in unlocked.Where(path => _files.DirectoryExists(path) && !peers.IsLocked(path)))
                {
                    CheckUnlocked(path, Path.GetFileName(mailbox.Path));
                }

                return true;
            },
            cancellationToken);
    }

    private void CheckUnlocked(string path, string requestName)
    {
        if (_files.FileExists(Path.Join(path, requestName)))
        {
            Mailbox.Delete(_files, path);
        }
        else if (_files.FileExists(Mailbox.GetLockPath(path)))
        {
            Log.LocksNotShared(context.Logger, context.Paths.Root);
        }
    }

    private ValueTask<T> RunAsync<T>(Func<T> call, CancellationToken cancellationToken) =>
        context.Scheduler.RunAsync(CallOptions, call, static call => call(), cancellationToken);
}

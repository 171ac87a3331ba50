using ResumableUploads.Cli.Files;
using ResumableUploads.Cli.Output;
using ResumableUploads.Client;

namespace ResumableUploads.Cli.Running;

/// <summary>Prints or cancels the uploads of files.</summary>
internal sealed class StatusRun(RunContext context, IReadOnlyList<UploadItem> items, RunTotals totals)
{
    private const string NotStarted = "not-started";
    private const string Complete = "complete";

    /// <summary>Prints how much of each file the server has.</summary>
    public Task PrintAsync(CancellationToken cancellationToken) => ForEachAsync(PrintAsync, cancellationToken);

    /// <summary>Deletes the unfinished uploads from the server.</summary>
    public Task CancelAsync(CancellationToken cancellationToken) => ForEachAsync(CancelAsync, cancellationToken);

    private async Task ForEachAsync(Func<UploadItem, CancellationToken, Task<CliEvent>> run, CancellationToken cancellationToken)
    {
        foreach (UploadItem item in items)
        {
            try
            {
                CliEvent entry = await run(item, cancellationToken);
                totals.AddCompleted();
                context.Output.Write(entry with { Path = item.DisplayPath });
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                var failure = e as UploadException;
                totals.AddFailed(failure?.Reason);
                context.Output.Write(FailureEvent.Create(item, e));
                if (failure is { Reason: UploadFailureReason.SignedOut } or { Reason: UploadFailureReason.RetriesExhausted, Response: null })
                {
                    return;
                }
            }
        }
    }

    private async Task<CliEvent> PrintAsync(UploadItem item, CancellationToken cancellationToken)
    {
        var entry = new CliEvent(EventKind.Status) { Size = item.Length, State = NotStarted, Offset = 0 };
        if (await context.WasCompletedAsync(item))
        {
            return entry with { State = Complete, Offset = item.Length };
        }

        // A status request would stop the append of the other process.
        using IDisposable? uploadLock = context.TryLock(item, out bool isLocked);
        if (isLocked)
        {
            return entry with { State = "uploading", Offset = null };
        }

        UploadOptions options = context.CreateOptions(item);
        ResumableUploadClient client = context.CreateClient();
        if (await client.FindUploadAsync(context.Settings.To, item.Path, options, cancellationToken) is not { } upload
            || await client.GetStatusAsync(upload, options, cancellationToken) is not { } status)
        {
            return entry;
        }

        string state = status.IsComplete ? Complete : status.Offset > 0 || upload.Protocol != UploadProtocol.FileId ? "incomplete" : NotStarted;
        return entry with { State = state, Offset = status.Offset, Size = status.Length ?? item.Length };
    }

    private async Task<CliEvent> CancelAsync(UploadItem item, CancellationToken cancellationToken)
    {
        using IDisposable? uploadLock = context.TryLock(item, out bool isLocked);
        if (isLocked)
        {
            throw new IOException("Another process is uploading this file. Stop it first.");
        }

        var entry = new CliEvent(EventKind.Canceled) { Size = item.Length, State = NotStarted };
        if (await context.WasCompletedAsync(item))
        {
            // The next run of the command uploads the file again.
            await context.ForgetCompletedAsync(item);
            return entry with { State = Complete };
        }

        UploadOptions options = context.CreateOptions(item);
        var store = new KeyRecorder(context.State.Uploads);
        ResumableUploadClient client = context.CreateClient(store);
        if (await client.FindUploadAsync(context.Settings.To, item.Path, options, cancellationToken) is not { } upload)
        {
            return entry;
        }

        UploadStatus? status = await client.GetStatusAsync(upload, options, cancellationToken);
        if (status is { IsComplete: false } && (status.Offset > 0 || upload.Protocol != UploadProtocol.FileId))
        {
            await client.CancelAsync(upload, options, cancellationToken);
            entry = entry with { State = "canceled", Offset = status.Offset };
        }
        else if (status is { IsComplete: true })
        {
            entry = entry with { State = Complete, Offset = status.Offset };
        }

        await store.RemoveFoundAsync();
        return entry;
    }

    /// <summary>Remembers the key under which the client has searched, so that the state can be removed.</summary>
    private sealed class KeyRecorder(IUploadStateStore inner) : IUploadStateStore
    {
        private string? _key;

        public ValueTask<UploadStateEntry?> GetAsync(string key, CancellationToken cancellationToken)
        {
            _key = key;
            return inner.GetAsync(key, cancellationToken);
        }

        public ValueTask SetAsync(string key, UploadStateEntry state, CancellationToken cancellationToken) => inner.SetAsync(key, state, cancellationToken);

        public ValueTask RemoveAsync(string key, CancellationToken cancellationToken) => inner.RemoveAsync(key, cancellationToken);

        public ValueTask RemoveFoundAsync() => _key is null ? ValueTask.CompletedTask : inner.RemoveAsync(_key, CancellationToken.None);
    }
}

using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Appending;

/// <summary>
/// Replaces an upload by a new one that starts over. The new upload is created under a temporary key, and takes the place of the old one once nothing can
/// reject it any more: before its first byte is stored, or, if its content decides about it, after its last byte.
/// </summary>
internal sealed class UploadReplacement(EngineContext context, AppendExecutor executor, UploadRemover remover)
{
    /// <summary>Keys of requests are hashes without a hyphen, so a temporary key never collides with one.</summary>
    private const string TemporaryIdPrefix = "replacement-";

    /// <summary>The age from which on an upload under a temporary key belongs to a crashed process.</summary>
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1);

    private readonly IReplacingStore? _replacingStore = context.Store.GetCapability<IReplacingStore>();
    private readonly EmptyBodyDetector _emptyBodyDetector = new(context.Settings, context.Time, context.Stopping);

    /// <summary>Returns a temporary key for an upload that is going to replace another one.</summary>
    public static UploadKey CreateTemporaryKey(UploadKey key) => new(key.Owner, TemporaryIdPrefix + RandomNumberGenerator.GetHexString(32, lowercase: true));

    public static bool IsTemporary(UploadKey key) => key.Id.StartsWith(TemporaryIdPrefix, StringComparison.Ordinal);

    /// <summary>Returns whether an upload under a temporary key was left behind by a crash.</summary>
    public static bool IsAbandoned(UploadInfo info, RecordPolicy policy) => IsTemporary(info.Key) && policy.ExpirationTime - info.LastModified >= AbandonedAfter;

    /// <summary>Returns whether the store can keep the old upload until the content of the new one is accepted.</summary>
    public bool CanReplace(AppendCommand command) => command is { Replaces: null } or { IsStaged: false } || _replacingStore is not null;

    /// <summary>Appends to a new upload under a temporary key, and replaces the old one.</summary>
    /// <param name="append">The request.</param>
    /// <param name="replaced">The old upload, as it is under the lock.</param>
    /// <param name="created">The new upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<AppendStep> AppendAsync(
        LockedAppend append, UploadInfo replaced, CreationResult.Created created, CancellationToken cancellationToken)
    {
        AppendCommand command = append.Command;
        bool isStarted = false;
        bool isReplaced = false;
        async ValueTask<UploadInfo?> ReplaceAsync(UploadInfo replacement)
        {
            isStarted = true;
            UploadInfo? current = await context.WithGracePeriodAsync(replaced.Key, token => TryReplaceAsync(replaced, replacement, token), cancellationToken);
            isReplaced = current is not null;
            return current;
        }

        try
        {
            AppendStep step;
            if (_replacingStore is not null && (command.IsStaged || command.BodyLength is null))
            {
                step = await executor.AppendAsync(append with { AcceptAsync = ReplaceAsync }, created.Info, created.Record, content: null, cancellationToken);
            }
            else
            {
                // A client that has disconnected before it sent anything does not replace what it sent before.
                step = !await _emptyBodyDetector.HasContentAsync(command, append.Lock) ? new UploadResult(UploadResultKind.Interrupted, replaced.Offset)
                    : await ReplaceAsync(created.Info) is not { } current ? new UploadResult(UploadResultKind.Busy)
                    : await executor.AppendAsync(append, current, created.Record, content: null, cancellationToken);
            }

            return isReplaced ? step with { IsCreated = true }
                : step is AppendStep.Finished { Result: { Offset: not null } result } ? result with { Offset = replaced.Offset, UploadLength = replaced.Length }
                : step;
        }
        catch (UploadStoreException e) when (!isStarted)
        {
            // The durable offset of the exception is that of the upload under the temporary key, which the client does not know.
            throw new UploadStoreException(e.Failure, e.Message, replaced.Offset, e);
        }
        finally
        {
            if (!isReplaced)
            {
                if (isStarted)
                {
                    // The store failed, or another process has changed or replaced the old upload.
                    context.Quota.Invalidate(replaced.Key.Owner);
                }

                await RemoveRejectedAsync(created.Info.Key);
            }
        }
    }

    /// <summary>Removes an upload under a temporary key. If the store hangs, as it may have done during the append, a sweep removes the upload later.</summary>
    private async ValueTask RemoveRejectedAsync(UploadKey key)
    {
        using var gracePeriod = new CancellationTokenSource(context.Settings.AppendGracePeriod, context.Time);
        try
        {
            // Read again, because the bytes that it has by now count against the quota.
            if (await context.Store.GetAsync(key, gracePeriod.Token) is { } rejected)
            {
                await remover.RemoveAsync(rejected, ignoreVersion: true, gracePeriod.Token);
            }
        }
        catch (OperationCanceledException e) when (gracePeriod.IsCancellationRequested)
        {
            context.LogStoreFailure(e, StoreFailure.Unavailable, key, null);
        }
    }

    /// <returns>The new upload, or null if one of the two uploads has changed.</returns>
    private async ValueTask<UploadInfo?> TryReplaceAsync(UploadInfo replaced, UploadInfo replacement, CancellationToken cancellationToken)
    {
        if (_replacingStore is null)
        {
            return await DeleteAndCreateAsync(replaced, replacement, cancellationToken);
        }

        long countNumber = context.Quota.GetCountNumber(replaced.Key.Owner);
        UpdateResult result = await _replacingStore.ReplaceAsync(
            replaced.Key, replaced.Version, replacement.Key, replacement.Version, cancellationToken);
        if (result.Status == ChangeStatus.Busy && await TakeOverAsync(replaced, cancellationToken) is { } released)
        {
            replaced = released;
            result = await _replacingStore.ReplaceAsync(released.Key, released.Version, replacement.Key, replacement.Version, cancellationToken);
        }

        UploadInfo? current = result.Info;
        if (current is not null)
        {
            context.Quota.Move(QuotaAccount.From(current), QuotaUsage.Of(current), countNumber);
            remover.OnRemoved(replaced, countNumber);
        }

        return current;
    }

    /// <summary>Ends an append that another process has begun while the new upload received its content.</summary>
    /// <returns>The old upload, or null if the append has not ended or has changed more than the offset.</returns>
    private async ValueTask<UploadInfo?> TakeOverAsync(UploadInfo replaced, CancellationToken cancellationToken) =>
        await context.Takeover.TakeOverAsync(replaced, cancellationToken) != TakeoverStatus.StillAppending
        && await context.Store.GetAsync(replaced.Key, cancellationToken) is { } current
        && current.State == replaced.State
        && EngineRecord.From(replaced).IsOf(current)
            ? current
            : null;

    private async ValueTask<UploadInfo?> DeleteAndCreateAsync(UploadInfo replaced, UploadInfo replacement, CancellationToken cancellationToken)
    {
        if (!await remover.RemoveAsync(replaced, ignoreVersion: false, cancellationToken))
        {
            return null;
        }

        // Added before the creation, whose result may be unknown: the next count corrects a usage that is too high.
        context.Quota.Add(QuotaAccount.From(replacement), QuotaUsage.Of(replacement));
        if ((await context.Store.CreateAsync(replaced.Key, replacement.Record, cancellationToken)).Info is not { } created)
        {
            return null;
        }

        try
        {
            await remover.RemoveAsync(replacement, ignoreVersion: true, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            // It counts until a sweep removes it.
            context.LogStoreFailure(e, e.Failure, replacement.Key, e.DurableOffset);
        }

        return created;
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Permits;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Management;

/// <summary>Reads the uploads of a store for an operator. Takes no lock and stops no append.</summary>
internal sealed class UploadInspector(EngineContext context, UploadLockTable locks, UploadLookup lookup, HandlerLeases leases)
{
    private readonly ReportedFailures<UploadKey> _unreadable = new();

    /// <summary>Gets the identity of the storage. Engines with the same storage share it.</summary>
    public object Storage => locks;

    /// <inheritdoc cref="IUploadStore.ListAsync"/>
    public IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) => context.Store.ListAsync(query, cancellationToken);

    /// <inheritdoc cref="IUploadStore.GetAsync"/>
    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => context.Store.GetAsync(key, cancellationToken);

    /// <inheritdoc cref="IUploadStore.OpenReadAsync"/>
    public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) => context.Store.OpenReadAsync(key, cancellationToken);

    /// <summary>Returns whether an upload was created by this engine. False if its record cannot be read.</summary>
    public bool BelongsToThisEngine(UploadInfo info)
    {
        try
        {
            return context.RecordPolicy.BelongsToThisEngine(info);
        }
        catch (UploadStoreException)
        {
            return false;
        }
    }

    /// <summary>
    /// Describes an upload. A record that cannot be read is logged and does not fail, because one such upload must not hide all others.
    /// </summary>
    /// <returns>The description, or null if the upload has expired, is to replace another one, is the marker of a used permit, or its record cannot be read.</returns>
    public UploadDescription? TryDescribe(UploadInfo info)
    {
        try
        {
            EngineRecord record = EngineRecord.From(info);
            _unreadable.Remove(info.Key);
            if (UsedPermits.IsMarker(info.Key) || UploadReplacement.IsTemporary(info.Key) || lookup.IsExpired(info))
            {
                return null;
            }

            if (info.State != UploadState.Received)
            {
                return new UploadDescription(record) { IsAppending = info.State == UploadState.Receiving && locks.IsPreemptible(info.Key) };
            }

            bool isRunning = leases.IsLeased(info, record);

            // The number of attempts of this engine says nothing about an upload of another application.
            bool isExhausted = BelongsToThisEngine(info) ? leases.IsExhausted(record) : record.Handler is { IsDeadLettered: true } or { IsDeadLetterReported: true };
            return new UploadDescription(record)
            {
                IsHandlerRunning = isRunning,
                IsDeadLettered = isExhausted && !isRunning,
                HasHandlerFailed = !isExhausted && !isRunning && record.Handler is { Attempts: > 0 } or { RetryAt: not null },
            };
        }
        catch (UploadStoreException e)
        {
            if (_unreadable.TryAdd(info.Key))
            {
                Log.UnreadableUploadNotListed(context.Logger, e, info.Key);
            }

            return null;
        }
    }
}

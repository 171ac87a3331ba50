using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>The lease of one append: other servers see that the upload is busy, and the service rejects the writes of a server that has lost it.</summary>
internal sealed class AppendLease : IAsyncDisposable
{
    private const int MaxAttempts = 3;

    // A service that hangs must not hold up the response to the client for long.
    private static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(10);

    private readonly BlobLeaseClient _client;
    private readonly TimeSpan _duration;
    private readonly CancellationTokenSource _stop = new();
    private Task _renewing = Task.CompletedTask;

    private AppendLease(BlobLeaseClient client, TimeSpan duration)
    {
        _client = client;
        _duration = duration;
    }

    public string Id => _client.LeaseId;

    /// <summary>Gets whether the service has refused to release the lease, because the upload is deleted or taken over.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Acquires the lease of an upload that has not changed since it was read.</summary>
    /// <returns>The lease, or null if the upload has changed, is leased, or does not exist.</returns>
    public static async ValueTask<AppendLease?> TryAcquireAsync(UploadBlobs blobs, UploadBlob blob, TimeSpan duration, CancellationToken cancellationToken)
    {
        BlobLeaseClient client = blobs.GetBlob(blob.BlobKey).GetBlobLeaseClient(Guid.NewGuid().ToString());
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await client.AcquireAsync(duration, new RequestConditions { IfMatch = blob.ETag }, cancellationToken);
                return new AppendLease(client, duration);
            }
            catch (RequestFailedException e) when (StorageErrors.IsNotFound(e) || StorageErrors.IsConflict(e))
            {
                return null;
            }
            catch (Exception e) when (attempt < MaxAttempts && StorageErrors.IsAmbiguous(e) && !cancellationToken.IsCancellationRequested)
            {
                // Acquiring a lease with the id that it has already succeeds.
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
            {
                throw StorageErrors.ToStoreException(e, $"lease upload {blob.Key}", blob.Offset);
            }
        }
    }

    /// <summary>Renews the lease three times per duration, until it is disposed or lost.</summary>
    public void StartRenewing(Action onLost) => _renewing = RenewAsync(onLost);

    /// <summary>
    /// Renews the lease after it has expired, if the upload has not changed meanwhile. The service refuses to renew a lease that was broken, which tells an expired lease from a takeover.
    /// </summary>
    public async ValueTask<bool> TryRenewExpiredAsync(ETag etag, CancellationToken cancellationToken)
    {
        try
        {
            await _client.RenewAsync(new RequestConditions { IfMatch = etag }, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (StorageErrors.IsNotFound(e) || StorageErrors.IsConflict(e))
        {
            return false;
        }
    }

    /// <summary>Releases the lease. If that fails, the lease expires.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _renewing;
        using var timeout = new CancellationTokenSource(ReleaseTimeout);
        for (int attempt = 0; attempt < MaxAttempts && !timeout.IsCancellationRequested; attempt++)
        {
            try
            {
                await _client.ReleaseAsync(cancellationToken: timeout.Token);
                break;
            }
            catch (Exception e) when (StorageErrors.IsAmbiguous(e))
            {
                // Releasing a lease twice fails with a conflict.
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, CancellationToken.None))
            {
                IsLost = StorageErrors.IsNotFound(e) || StorageErrors.IsConflict(e);
                break;
            }
        }

        _stop.Dispose();
    }

    private async Task RenewAsync(Action onLost)
    {
        while (true)
        {
            try
            {
                // The lease expires by the clock of the service, whatever clock the app uses.
                await Task.Delay(_duration / 3, TimeProvider.System, _stop.Token);
                await _client.RenewAsync(cancellationToken: _stop.Token);
            }
            catch (Exception e) when (_stop.IsCancellationRequested && (e is OperationCanceledException || StorageErrors.IsStorageFailure(e, _stop.Token)))
            {
                return;
            }
            catch (RequestFailedException e) when (StorageErrors.IsNotFound(e) || StorageErrors.IsConflict(e))
            {
                onLost();
                return;
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, _stop.Token))
            {
                // The next renewal, or the next block, decides.
            }
        }
    }
}

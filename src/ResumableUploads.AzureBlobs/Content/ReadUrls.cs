using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Content;

/// <summary>Creates URLs with a shared access signature: of the account key or, with a token credential, of a user delegation key.</summary>
internal sealed class ReadUrls(UploadBlobs blobs, TimeProvider timeProvider)
{
    /// <summary>The maximum lifetime of a user delegation key.</summary>
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(7);

    // The clock of the service may be later than that of the server.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    /// <summary>How much earlier a URL of the maximum lifetime may expire, so that not every one of them requests a key.</summary>
    private static readonly TimeSpan RenewalTime = TimeSpan.FromMinutes(5);

    private const int MaxAttempts = 10;

    private UserDelegationKey? _delegationKey;

    public async ValueTask<Uri?> CreateAsync(UploadKey key, string version, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, MaxLifetime);
        cancellationToken.ThrowIfCancellationRequested();
        UploadBlob? blob = await blobs.ReadAsync(key, cancellationToken);
        return blob is null || blob.Version != version || blob.State == UploadState.Receiving || await CreateSnapshotAsync(blob, cancellationToken) is not { } snapshot
            ? null
            : await SignAsync(snapshot, lifetime, cancellationToken);
    }

    /// <summary>Returns the URL of a blob or snapshot with a signature to read it.</summary>
    /// <exception cref="InvalidOperationException">The credentials of the client cannot sign.</exception>
    public async ValueTask<Uri> SignAsync(BlobBaseClient blob, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        DateTimeOffset expiry = timeProvider.GetUtcNow() + lifetime;
        string? snapshot = new BlobUriBuilder(blob.Uri).Snapshot is { Length: > 0 } name ? name : null;
        var builder = new BlobSasBuilder(BlobSasPermissions.Read, expiry)
        {
            BlobContainerName = blob.BlobContainerName,
            BlobName = blob.Name,
            Snapshot = snapshot,
            Resource = snapshot is null ? "b" : "bs",
        };
        if (blob.CanGenerateSasUri)
        {
            return blob.GenerateSasUri(builder);
        }

        // A signature cannot be valid for longer than its key.
        UserDelegationKey key = await GetDelegationKeyAsync(expiry, cancellationToken);
        builder.ExpiresOn = expiry < key.SignedExpiresOn ? expiry : key.SignedExpiresOn;
        return new BlobUriBuilder(blob.Uri) { Sas = builder.ToSasQueryParameters(key, blob.AccountName) }.ToUri();
    }

    /// <summary>
    /// Creates a snapshot of the content, without the record, which is not for the bearer of a URL. It is deleted with the upload, so that no URL leads to a later upload
    /// with the same key.
    /// </summary>
    /// <returns>The snapshot, or <see langword="null"/> if the upload was deleted meanwhile.</returns>
    private async ValueTask<BlobBaseClient?> CreateSnapshotAsync(UploadBlob blob, CancellationToken cancellationToken)
    {
        UploadBlob? current = blob;
        BlobBaseClient client = blobs.GetBlob(blob.BlobKey);
        for (int attempt = 1; current is not null && current.Record.Nonce == blob.Record.Nonce; attempt++)
        {
            try
            {
                BlobSnapshotInfo snapshot = await client.CreateSnapshotAsync(
                    new Dictionary<string, string> { [ContentCopy.SourceMetadata] = blob.Record.Nonce }, new BlobRequestConditions { IfMatch = current.ETag }, cancellationToken);
                return client.WithSnapshot(snapshot.Snapshot);
            }
            catch (Exception e) when (attempt < MaxAttempts && (StorageErrors.IsConflict(e) || StorageErrors.IsNotFound(e)))
            {
                current = await blobs.ReadAsync(blob.Key, cancellationToken);
            }
            catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
            {
                throw StorageErrors.ToStoreException(e, $"create a snapshot of upload {blob.Key}");
            }
        }

        return null;
    }

    private async ValueTask<UserDelegationKey> GetDelegationKeyAsync(DateTimeOffset expiry, CancellationToken cancellationToken)
    {
        DateTimeOffset now = timeProvider.GetUtcNow();
        DateTimeOffset maxExpiry = now + MaxLifetime - ClockTolerance;
        if (_delegationKey is { } current && current.SignedExpiresOn >= (expiry < maxExpiry ? expiry : maxExpiry - RenewalTime))
        {
            return current;
        }

        try
        {
            UserDelegationKey key = await blobs.Container.GetParentBlobServiceClient().GetUserDelegationKeyAsync(now - ClockTolerance, maxExpiry, cancellationToken);
            _delegationKey = key;
            return key;
        }
        catch (RequestFailedException e) when (e.Status is 400 or 401 or 403)
        {
            throw new InvalidOperationException(
                "The client of the container cannot sign URLs. Use an account key, or a token credential whose identity has the role 'Storage Blob Delegator' for the account.", e);
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, "get a user delegation key");
        }
    }
}

using Azure;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Maintenance;

/// <summary>The clock of the service, which also sets the times of changes: the <c>Date</c> header of a response to a small request.</summary>
/// <remarks>
/// The header is cut down to the second. A reading within the second that follows the header therefore advances from the previous one, so that the clock does not move back and forth by
/// the part that was cut off.
/// </remarks>
internal sealed class ServiceClock(UploadBlobs blobs, TimeProvider timeProvider)
{
    private static readonly TimeSpan Precision = TimeSpan.FromSeconds(1);

    // A reading is up to one second later than the time of the service, and the time of a change is up to one second too early. No upload expires early because of either.
    private static readonly TimeSpan Margin = 2 * Precision;

    private readonly Lock _lock = new();
    private (DateTimeOffset UtcNow, long Timestamp)? _last;

    /// <summary>Reads the clock. The result is one to three seconds behind the time of the service.</summary>
    public async ValueTask<DateTimeOffset> ReadAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            // The blob need not exist.
            Response<bool> response = await blobs.Container.GetBlobClient(blobs.Names.SweepCheckpoint).ExistsAsync(cancellationToken);
            return response.GetRawResponse().Headers.Date is { } date
                ? Adjust(date) - Margin
                : throw new UploadStoreException(StoreFailure.Unavailable, "A response of Azure Blob Storage has no Date header. Check whether a proxy removes it.");
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw StorageErrors.ToStoreException(e, "read the time");
        }
    }

    private DateTimeOffset Adjust(DateTimeOffset date)
    {
        lock (_lock)
        {
            long timestamp = timeProvider.GetTimestamp();
            DateTimeOffset utcNow = _last is { } last ? last.UtcNow + timeProvider.GetElapsedTime(last.Timestamp, timestamp) : date;
            utcNow = utcNow < date ? date : utcNow > date + Precision ? date + Precision : utcNow;
            _last = (utcNow, timestamp);
            return utcNow;
        }
    }
}

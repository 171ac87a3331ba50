namespace ResumableUploads.Engine.Quotas;

/// <summary>
/// Quota that is reserved for a change of one upload, until the change is stored or has failed. While it is outstanding, it is added to the counted usage of
/// the owner, so a count of the stored uploads does not replace it.
/// </summary>
/// <param name="quota">The quota.</param>
/// <param name="target">The upload.</param>
/// <param name="usage">The quota that is already reserved.</param>
internal sealed class QuotaReservation(OwnerQuota quota, QuotaTarget target, QuotaUsage usage)
{
    private readonly QuotaUsage _released = target.Released;

    public QuotaTarget Target => target;

    /// <summary>Gets the quota that is reserved, in addition to <see cref="QuotaTarget.Stored"/>.</summary>
    public QuotaUsage Usage { get; private set; } = usage;

    /// <summary>
    /// Increases the reservation as far as the quota allows. A body of unknown length calls this for each read, before the bytes are stored, so that concurrent
    /// appends together cannot exceed the quota.
    /// </summary>
    /// <param name="bytes">The number of bytes of the body so far.</param>
    /// <returns>The number of bytes that are reserved. It is less than <paramref name="bytes"/> if the quota is exceeded.</returns>
    public long Extend(long bytes)
    {
        if (bytes > Usage.Bytes)
        {
            Usage += new QuotaUsage(0, quota.ReserveUpTo(this, bytes - Usage.Bytes, _released));
        }

        return Usage.Bytes;
    }

    /// <summary>Ends the reservation. Must be called once.</summary>
    /// <param name="stored">The quota that the change uses, or null to read it from the store, because the change has failed.</param>
    public ValueTask SettleAsync(QuotaUsage? stored) => quota.SettleAsync(this, stored);
}

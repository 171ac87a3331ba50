namespace ResumableUploads.Engine.Quotas;

/// <summary>
/// Bytes that are reserved for the body of an append to an upload of unknown length. It grows with each read of the body, before the bytes are stored, so that
/// concurrent appends together cannot exceed the quota.
/// </summary>
/// <param name="quota">The quota.</param>
/// <param name="account">The account of the upload.</param>
/// <param name="bytes">The number of bytes that are already reserved.</param>
/// <param name="released">The share of the upload that is removed in favor of this one.</param>
internal sealed class ByteReservation(OwnerQuota quota, QuotaAccount account, long bytes, QuotaUsage released)
{
    private long _bytes = bytes;

    /// <summary>Increases the reservation as far as the quota allows.</summary>
    /// <param name="bytes">The number of bytes of the body so far.</param>
    /// <returns>The number of bytes that are reserved. It is less than <paramref name="bytes"/> if the quota is exceeded.</returns>
    public long Extend(long bytes)
    {
        if (bytes > _bytes)
        {
            _bytes += quota.ReserveUpTo(account, bytes - _bytes, released);
        }

        return _bytes;
    }

    /// <summary>Releases the bytes that were not stored. Must be called once.</summary>
    /// <param name="storedBytes">The number of bytes that were stored, or null if it is unknown.</param>
    public void Settle(long? storedBytes)
    {
        quota.Add(account, new QuotaUsage(0, (storedBytes ?? 0) - _bytes));
        if (storedBytes is null)
        {
            quota.MarkOutdated(account.Owner);
        }
    }
}

using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Quotas;

/// <summary>An upload for which quota is reserved.</summary>
/// <param name="Key">The key of the upload in the store.</param>
/// <param name="Account">The account of the upload.</param>
internal sealed record QuotaTarget(UploadKey Key, QuotaAccount Account)
{
    /// <summary>Gets the quota that the upload uses without the reservation. The default is that of an upload that does not exist yet.</summary>
    public QuotaUsage Stored { get; init; }

    /// <summary>Gets the upload that is removed in favor of this one, so that its share is available, or <see langword="null"/>.</summary>
    public UploadInfo? Replaced { get; init; }

    /// <summary>Gets the share of the replaced upload that becomes available to the account.</summary>
    public QuotaUsage Released => Replaced is not null && QuotaAccount.From(Replaced) == Account ? QuotaUsage.Of(Replaced) : default;
}

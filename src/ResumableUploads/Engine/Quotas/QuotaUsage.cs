using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Permits;

namespace ResumableUploads.Engine.Quotas;

/// <summary>The quota that uploads use.</summary>
/// <param name="Uploads">The number of unfinished uploads.</param>
/// <param name="Bytes">The number of bytes in the store. An upload of known length counts with its full length from the start.</param>
internal readonly record struct QuotaUsage(int Uploads, long Bytes)
{
    /// <summary>Returns the quota that a stored upload uses: its content counts until it is moved or removed.</summary>
    public static QuotaUsage Of(UploadInfo info) => info.State switch
    {
        _ when UsedPermits.IsMarker(info.Key) => default,
        UploadState.Receiving => new(1, info.Length ?? info.Offset),
        UploadState.Completed when !EngineRecord.HasStoredContent(info) => default,
        _ => new(0, info.Offset),
    };

    public static QuotaUsage operator -(QuotaUsage usage) => new(-usage.Uploads, -usage.Bytes);

    /// <summary>Adds two usages. The sum of the bytes does not overflow.</summary>
    public static QuotaUsage operator +(QuotaUsage left, QuotaUsage right)
    {
        long bytes = unchecked(left.Bytes + right.Bytes);
        bool overflows = left.Bytes > 0 && right.Bytes > 0 && bytes < 0;
        return new(left.Uploads + right.Uploads, overflows ? long.MaxValue : bytes);
    }

    public static QuotaUsage operator -(QuotaUsage left, QuotaUsage right) => left + -right;

    /// <summary>Returns the smaller number of each kind.</summary>
    public static QuotaUsage Min(QuotaUsage left, QuotaUsage right) => new(Math.Min(left.Uploads, right.Uploads), Math.Min(left.Bytes, right.Bytes));

    /// <summary>Returns the usage without negative numbers, which occur if a removed upload was never counted.</summary>
    public QuotaUsage ClampToZero() => new(Math.Max(0, Uploads), Math.Max(0, Bytes));
}

using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>The uploads of an owner in a store.</summary>
public sealed class UploadOwnerUsage
{
    internal UploadOwnerUsage(string owner, UploadTotals totals)
    {
        Owner = owner;
        Totals = totals;
    }

    /// <summary>Gets the owner, as in <see cref="UploadKey.Owner"/> and <see cref="UploadListQuery.Owner"/>. It is a hash, and not the name of a user.</summary>
    public string Owner { get; }

    /// <summary>Gets the number of the uploads and of their bytes.</summary>
    public UploadTotals Totals { get; }
}

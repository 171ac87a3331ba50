using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>Orders keys by owner and then by id, both ordinally.</summary>
internal sealed class UploadKeyComparer : IComparer<UploadKey>
{
    private UploadKeyComparer()
    {
    }

    public static UploadKeyComparer Instance { get; } = new();

    public int Compare(UploadKey x, UploadKey y)
    {
        int owners = string.CompareOrdinal(x.Owner, y.Owner);
        return owners != 0 ? owners : string.CompareOrdinal(x.Id, y.Id);
    }
}

using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>Orders keys by owner and then by id, both ordinally.</summary>
internal sealed class UploadKeyComparer : IComparer<UploadKey>
{
    private static readonly UploadKeyComparer Instance = new();

    private UploadKeyComparer()
    {
    }

    /// <summary>Returns the keys after the start of the query, in order.</summary>
    public static List<UploadKey> SelectKeys(IEnumerable<UploadKey> keys, UploadQuery query)
    {
        List<UploadKey> selected = [];
        foreach (UploadKey key in keys)
        {
            if (query.StartAfter is not { } after || Instance.Compare(key, after) > 0)
            {
                selected.Add(key);
            }
        }

        selected.Sort(Instance);
        return selected;
    }

    public int Compare(UploadKey x, UploadKey y)
    {
        int owners = string.CompareOrdinal(x.Owner, y.Owner);
        return owners != 0 ? owners : string.CompareOrdinal(x.Id, y.Id);
    }
}

using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>The order of a listing: by owner, then by id, both by the value of the characters.</summary>
internal sealed class UploadKeyComparer : IComparer<UploadKey>
{
    private static readonly UploadKeyComparer Instance = new();

    private UploadKeyComparer()
    {
    }

    /// <summary>The keys, of those of the query's owner, that it may give, in order. Only keys are copied.</summary>
    public static List<UploadKey> SelectKeys(IEnumerable<UploadKey> uploads, UploadQuery query)
    {
        List<UploadKey> keys = [];
        foreach (UploadKey key in uploads)
        {
            if (query.StartAfter is not { } after || Instance.Compare(key, after) > 0)
            {
                keys.Add(key);
            }
        }

        keys.Sort(Instance);
        return keys;
    }

    public int Compare(UploadKey x, UploadKey y)
    {
        int owners = string.CompareOrdinal(x.Owner, y.Owner);
        return owners != 0 ? owners : string.CompareOrdinal(x.Id, y.Id);
    }
}

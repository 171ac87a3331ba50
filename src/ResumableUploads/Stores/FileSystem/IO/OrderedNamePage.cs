namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>Picks the first names, in ordinal order and behind a name, out of any number of them, in memory for twice as many as are wanted.</summary>
internal sealed class OrderedNamePage(string? after, int count)
{
    private readonly List<string> _names = [];

    /// <summary>Nothing from here on can be among the first.</summary>
    private string? _upperBound;

    /// <summary>True where the name may be one of them.</summary>
    public bool Add(ReadOnlySpan<char> name)
    {
        if ((after is not null && name.SequenceCompareTo(after) <= 0) || (_upperBound is not null && name.SequenceCompareTo(_upperBound) >= 0))
        {
            return false;
        }

        _names.Add(name.ToString());
        if (_names.Count >= 2L * count)
        {
            Trim();
        }

        return true;
    }

    public List<string> ToList()
    {
        Trim();
        return _names;
    }

    private void Trim()
    {
        _names.Sort(StringComparer.Ordinal);
        if (_names.Count > count)
        {
            _upperBound = _names[count];
            _names.RemoveRange(count, _names.Count - count);
        }
    }
}

namespace ResumableUploads.Stores.FileSystem.IO.Directories;

/// <summary>Collects the first names after a given one in ordinal order. Keeps at most twice as many names in memory as requested.</summary>
internal sealed class OrderedNamePage(string? after, int count)
{
    private readonly List<string> _names = [];

    /// <summary>A name that is known not to be on the page; none of the names after it is either.</summary>
    private string? _upperBound;

    /// <summary>Adds a name if it may be on the page. Returns whether it was added.</summary>
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

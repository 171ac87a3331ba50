namespace ResumableUploads.Stores.FileSystem;

/// <summary>Picks the first names, in ordinal order and behind a name, out of any number of them, in memory for twice as many as are wanted.</summary>
internal sealed class FirstNames(string? after, int count)
{
    private readonly List<string> _names = [];

    /// <summary>Nothing from here on can be among the first.</summary>
    private string? _bound;

    /// <summary>True where the name may be one of them.</summary>
    public bool Add(ReadOnlySpan<char> name)
    {
        if ((after is not null && name.SequenceCompareTo(after) <= 0) || (_bound is not null && name.SequenceCompareTo(_bound) >= 0))
        {
            return false;
        }

        _names.Add(name.ToString());
        if (_names.Count >= 2L * count)
        {
            Cut();
        }

        return true;
    }

    public List<string> ToList()
    {
        Cut();
        return _names;
    }

    private void Cut()
    {
        _names.Sort(StringComparer.Ordinal);
        if (_names.Count > count)
        {
            _bound = _names[count];
            _names.RemoveRange(count, _names.Count - count);
        }
    }
}

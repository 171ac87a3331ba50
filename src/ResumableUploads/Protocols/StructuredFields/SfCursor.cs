namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>A place in the text of a structured field, and the small steps from there.</summary>
internal ref struct SfCursor(ReadOnlySpan<char> text)
{
    private ReadOnlySpan<char> _rest = text;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>The next character; NUL at the end, which no field has.</summary>
    public readonly char Next => _rest.IsEmpty ? '\0' : _rest[0];

    public char Take()
    {
        char next = Next;
        Skip(1);
        return next;
    }

    public bool TryTake(char expected)
    {
        if (Next != expected || IsAtEnd)
        {
            return false;
        }

        Skip(1);
        return true;
    }

    /// <summary>All that comes before the first other character.</summary>
    public ReadOnlySpan<char> TakeWhile(Func<char, bool> isPart)
    {
        int length = 0;
        while (length < _rest.Length && isPart(_rest[length]))
        {
            length++;
        }

        ReadOnlySpan<char> taken = _rest[..length];
        Skip(length);
        return taken;
    }

    public void SkipSpaces() => TakeWhile(static c => c == ' ');

    /// <summary>Optional white space between members: blanks and tabs.</summary>
    public void SkipOptionalSpace() => TakeWhile(static c => c is ' ' or '\t');

    private void Skip(int count) => _rest = _rest[Math.Min(count, _rest.Length)..];
}

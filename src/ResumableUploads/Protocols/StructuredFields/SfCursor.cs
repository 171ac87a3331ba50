namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>A place in the text of a structured field, and the small steps from there.</summary>
internal ref struct SfCursor(ReadOnlySpan<char> text)
{
    private ReadOnlySpan<char> _rest = text;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>The next character; NUL at the end, which no field has.</summary>
    public readonly char Current => _rest.IsEmpty ? '\0' : _rest[0];

    public char Read()
    {
        char next = Current;
        Skip(1);
        return next;
    }

    public bool TryRead(char expected)
    {
        if (Current != expected || IsAtEnd)
        {
            return false;
        }

        Skip(1);
        return true;
    }

    /// <summary>All that comes before the first other character.</summary>
    public ReadOnlySpan<char> ReadWhile(Func<char, bool> isPart)
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

    public void SkipSpaces() => ReadWhile(static c => c == ' ');

    /// <summary>Optional white space between members: blanks and tabs.</summary>
    public void SkipOptionalWhitespace() => ReadWhile(static c => c is ' ' or '\t');

    private void Skip(int count) => _rest = _rest[Math.Min(count, _rest.Length)..];
}

namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>A read position in the text of a structured field.</summary>
internal ref struct SfCursor(ReadOnlySpan<char> text)
{
    private ReadOnlySpan<char> _remaining = text;

    public readonly bool IsAtEnd => _remaining.IsEmpty;

    /// <summary>Gets the next character, or NUL at the end. NUL cannot occur in a header.</summary>
    public readonly char Current => _remaining.IsEmpty ? '\0' : _remaining[0];

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

    /// <summary>Reads all characters before the first one that does not match the predicate.</summary>
    public ReadOnlySpan<char> ReadWhile(Func<char, bool> predicate)
    {
        int length = 0;
        while (length < _remaining.Length && predicate(_remaining[length]))
        {
            length++;
        }

        ReadOnlySpan<char> result = _remaining[..length];
        Skip(length);
        return result;
    }

    public void SkipSpaces() => ReadWhile(static c => c == ' ');

    /// <summary>Skips the optional whitespace between members (OWS in RFC 9110, section 5.6.3).</summary>
    public void SkipOptionalWhitespace() => ReadWhile(static c => c is ' ' or '\t');

    private void Skip(int count) => _remaining = _remaining[Math.Min(count, _remaining.Length)..];
}

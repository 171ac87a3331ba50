using System.Buffers;

namespace ResumableUploads.Protocols;

/// <summary>Checks text of a client that is stored and later sent in a response header.</summary>
internal static class HeaderText
{
    private static readonly SearchValues<char> ValidCharacters = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Append('\t').Select(static c => (char)c)]);

    /// <summary>Returns whether a text consists of printable ASCII characters and tabs, so that every server can send it in a header.</summary>
    public static bool IsValid(string text) => !text.AsSpan().ContainsAnyExcept(ValidCharacters);
}

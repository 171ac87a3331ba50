using System.Globalization;
using System.Text;

namespace ResumableUploads.Cli.Output;

/// <summary>Makes text from files and servers harmless for a terminal.</summary>
internal static class TerminalText
{
    private const char Ellipsis = '…';

    /// <summary>Replaces characters that control a terminal, or that change the order or the visibility of others, by their code points.</summary>
    public static string Escape(string text)
    {
        if (!text.EnumerateRunes().Any(static rune => IsHarmful(rune)))
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length + 8);
        foreach (Rune rune in text.EnumerateRunes())
        {
            escaped.Append(IsHarmful(rune) ? string.Create(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X}}}") : rune.ToString());
        }

        return escaped.ToString();
    }

    /// <summary>Shortens a path in its middle.</summary>
    public static string Shorten(string text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        int head = (maxLength - 1) / 3;
        int tail = maxLength - 1 - head;
        if (char.IsHighSurrogate(text[head - 1]))
        {
            head--;
        }

        if (char.IsLowSurrogate(text[^tail]))
        {
            tail--;
        }

        return $"{text.AsSpan(0, head)}{Ellipsis}{text.AsSpan(text.Length - tail)}";
    }

    private static bool IsHarmful(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate;
}

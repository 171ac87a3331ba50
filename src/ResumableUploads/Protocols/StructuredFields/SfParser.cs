using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>
/// Parses items and their elements as specified by <see href="https://www.rfc-editor.org/rfc/rfc9651#section-4.2">RFC 9651, section 4.2</see>. Each
/// method returns false if the specification requires parsing of the field to fail.
/// </summary>
internal static class SfParser
{
    private const int MaxIntegerDigits = 15;
    private const int MaxDecimalDigits = 12;
    private const int MaxFractionDigits = 3;

    /// <summary>Parses a member of a dictionary: an item or an inner list, with parameters (RFC 9651, section 4.2.1.1).</summary>
    public static bool TryMember(ref SfCursor text, out SfValue value)
    {
        if (text.Current == '(')
        {
            value = SfValue.Other;
            return TryInnerList(ref text) && TryParameters(ref text);
        }

        return TryItem(ref text, out value);
    }

    /// <summary>Parses an item with parameters (RFC 9651, section 4.2.3).</summary>
    public static bool TryItem(ref SfCursor text, out SfValue value) => TryBareItem(ref text, out value) && TryParameters(ref text);

    /// <summary>Parses a key (RFC 9651, section 4.2.3.3).</summary>
    public static bool TryKey(ref SfCursor text, out string key)
    {
        key = char.IsAsciiLetterLower(text.Current) || text.Current == '*'
            ? text.ReadWhile(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-' or '.' or '*').ToString()
            : "";
        return key.Length > 0;
    }

    /// <summary>Parses parameters (RFC 9651, section 4.2.3.2). They must be valid, but are ignored.</summary>
    public static bool TryParameters(ref SfCursor text)
    {
        while (text.TryRead(';'))
        {
            text.SkipSpaces();
            if (!TryKey(ref text, out _) || (text.TryRead('=') && !TryBareItem(ref text, out _)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryInnerList(ref SfCursor text)
    {
        text.TryRead('(');
        while (!text.IsAtEnd)
        {
            text.SkipSpaces();
            if (text.TryRead(')'))
            {
                return true;
            }

            if (!TryItem(ref text, out _) || text.Current is not (' ' or ')'))
            {
                return false;
            }
        }

        return false;
    }

    private static bool TryBareItem(ref SfCursor text, out SfValue value)
    {
        value = SfValue.Other;
        return text.Current switch
        {
            '-' or (>= '0' and <= '9') => TryNumber(ref text, out value),
            '?' => TryBoolean(ref text, out value),
            ':' => TryBytes(ref text, out value),
            '"' => TryString(ref text),
            '@' => TryDate(ref text),
            '%' => TryDisplayString(ref text),
            '*' => TryToken(ref text),
            char c => char.IsAsciiLetter(c) && TryToken(ref text),
        };
    }

    private static bool TryNumber(ref SfCursor text, out SfValue value)
    {
        value = SfValue.Other;
        bool isNegative = text.TryRead('-');
        ReadOnlySpan<char> digits = text.ReadWhile(char.IsAsciiDigit);
        if (text.TryRead('.'))
        {
            return digits.Length is > 0 and <= MaxDecimalDigits && text.ReadWhile(char.IsAsciiDigit).Length is > 0 and <= MaxFractionDigits;
        }

        if (digits.Length is 0 or > MaxIntegerDigits)
        {
            return false;
        }

        long number = long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        value = new SfValue(SfKind.Integer, isNegative ? -number : number);
        return true;
    }

    private static bool TryBoolean(ref SfCursor text, out SfValue value)
    {
        text.TryRead('?');
        char digit = text.Read();
        value = new SfValue(SfKind.Boolean, digit == '1' ? 1 : 0);
        return digit is '0' or '1';
    }

    private static bool TryBytes(ref SfCursor text, out SfValue value)
    {
        value = SfValue.Other;
        text.TryRead(':');
        string base64 = text.ReadWhile(static c => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '=').ToString();
        byte[] bytes = new byte[base64.Length];
        if (!text.TryRead(':') || !Convert.TryFromBase64String(AddPadding(base64), bytes, out int length))
        {
            return false;
        }

        value = new SfValue(SfKind.ByteSequence, Bytes: bytes[..length]);
        return true;
    }

    /// <summary>Adds missing padding, which the specification allows parsers to accept (RFC 9651, section 4.2.7).</summary>
    private static string AddPadding(string base64) => base64.PadRight((base64.Length + 3) / 4 * 4, '=');

    private static bool TryString(ref SfCursor text)
    {
        text.TryRead('"');
        while (!text.IsAtEnd)
        {
            switch (text.Read())
            {
                case '\\' when text.Read() is not ('"' or '\\'):
                    return false;
                case '\\':
                    break;
                case '"':
                    return true;
                case < ' ' or > '~':
                    return false;
            }
        }

        return false;
    }

    private static bool TryToken(ref SfCursor text)
    {
        text.ReadWhile(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~:/".Contains(c, StringComparison.Ordinal));
        return true;
    }

    private static bool TryDate(ref SfCursor text)
    {
        text.TryRead('@');
        return (text.Current == '-' || char.IsAsciiDigit(text.Current)) && TryNumber(ref text, out SfValue seconds) && seconds.Kind == SfKind.Integer;
    }

    private static bool TryDisplayString(ref SfCursor text)
    {
        text.TryRead('%');
        if (!text.TryRead('"'))
        {
            return false;
        }

        var bytes = new List<byte>();
        while (!text.IsAtEnd)
        {
            switch (text.Read())
            {
                case '"':
                    return Utf8.IsValid(CollectionsMarshal.AsSpan(bytes));
                case '%':
                    char high = text.Read();
                    char low = text.Read();
                    if (!char.IsAsciiHexDigitLower(high) || !char.IsAsciiHexDigitLower(low))
                    {
                        return false;
                    }

                    bytes.Add(byte.Parse([high, low], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                    break;
                case < ' ' or > '~':
                    return false;
                case char c:
                    bytes.Add((byte)c);
                    break;
            }
        }

        return false;
    }
}

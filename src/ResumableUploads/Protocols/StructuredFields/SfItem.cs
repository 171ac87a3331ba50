using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>
/// Parses fields of the type Item (<see href="https://www.rfc-editor.org/rfc/rfc9651#section-4.2">RFC 9651, section 4.2</see>). Parameters are
/// ignored. A header that was sent more than once is not an item.
/// </summary>
internal static class SfItem
{
    /// <summary>Parses a Boolean (<c>?0</c> or <c>?1</c>).</summary>
    public static bool TryParseBoolean(StringValues values, out bool value)
    {
        bool isBoolean = TryParse(values, out SfValue item) && item.Kind == SfKind.Boolean;
        value = isBoolean && item.Number == 1;
        return isBoolean;
    }

    /// <summary>Parses an Integer of at most 15 digits, which may be negative.</summary>
    public static bool TryParseInteger(StringValues values, out long value)
    {
        bool isInteger = TryParse(values, out SfValue item) && item.Kind == SfKind.Integer;
        value = isInteger ? item.Number : 0;
        return isInteger;
    }

    private static bool TryParse(StringValues values, out SfValue item)
    {
        if (values.Count != 1)
        {
            item = SfValue.Other;
            return false;
        }

        var text = new SfCursor(values[0]);
        text.SkipSpaces();
        if (!SfParser.TryItem(ref text, out item))
        {
            return false;
        }

        text.SkipSpaces();
        return text.IsAtEnd;
    }
}

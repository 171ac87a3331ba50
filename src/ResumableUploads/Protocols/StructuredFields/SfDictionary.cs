using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>
/// Parses fields of the type Dictionary (<see href="https://www.rfc-editor.org/rfc/rfc9651#section-4.2.2">RFC 9651, section 4.2.2</see>). An absent
/// field is an empty dictionary.
/// </summary>
internal static class SfDictionary
{
    /// <summary>Parses a dictionary. A repeated key keeps its first position and gets the last value.</summary>
    /// <param name="values">The values of the header. Multiple header lines are combined into one list.</param>
    /// <param name="members">The members in the order of the header. A key without a value has the value true.</param>
    /// <returns><see langword="true"/> if the field is absent or a dictionary; otherwise, <see langword="false"/>.</returns>
    public static bool TryParse(StringValues values, out OrderedDictionary<string, SfValue> members)
    {
        members = new OrderedDictionary<string, SfValue>(StringComparer.Ordinal);
        var text = new SfCursor(string.Join(", ", (IEnumerable<string?>)values));
        text.SkipSpaces();
        while (!text.IsAtEnd)
        {
            SfValue value = SfValue.True;
            if (!SfParser.TryKey(ref text, out string key)
                || !(text.TryRead('=') ? SfParser.TryMember(ref text, out value) : SfParser.TryParameters(ref text)))
            {
                return false;
            }

            members[key] = value;
            text.SkipOptionalWhitespace();
            if (text.IsAtEnd)
            {
                return true;
            }

            if (!text.TryRead(','))
            {
                return false;
            }

            text.SkipOptionalWhitespace();
            if (text.IsAtEnd)
            {
                return false;
            }
        }

        return true;
    }
}

using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>Fields that are a dictionary (RFC 9651, section 4.2.2). One that is not there is empty.</summary>
internal static class SfDictionary
{
    /// <summary>Reads a dictionary. Of a key that is there twice, the last value counts, and the place of the first.</summary>
    /// <param name="values">The header; several lines are one list.</param>
    /// <param name="members">What is in it, in its order. A key without a value is true.</param>
    /// <returns>False where it is none.</returns>
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

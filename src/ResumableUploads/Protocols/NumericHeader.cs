using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols;

/// <summary>Parses headers whose value is a non-negative 64-bit integer in decimal digits.</summary>
internal static class NumericHeader
{
    /// <summary>Parses the value of a header that is optional and must not be repeated.</summary>
    /// <param name="values">The values of the header.</param>
    /// <param name="number">The number, or null if the header is absent or invalid.</param>
    /// <returns>
    /// <see langword="true"/> if the header is absent or valid; <see langword="false"/> if it is not a number from 0 to 2^63-1 or was sent more than once.
    /// </returns>
    public static bool TryParseOptional(StringValues values, out long? number)
    {
        number = null;
        if (values.Count == 0)
        {
            return true;
        }

        string text = values.ToString();
        if (values.Count > 1 || text.Length == 0 || text.AsSpan().ContainsAnyExceptInRange('0', '9') || !long.TryParse(text, out long parsed))
        {
            return false;
        }

        number = parsed;
        return true;
    }
}

using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols;

/// <summary>A number in a header: decimal digits and nothing else, at most 2^63-1, sent once.</summary>
internal static class NumericHeader
{
    /// <summary>Reads a header.</summary>
    /// <param name="values">Its values.</param>
    /// <param name="number">The number, or null where the header is absent.</param>
    /// <returns>False when the header is there and is no such number.</returns>
    public static bool TryParse(StringValues values, out long? number)
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

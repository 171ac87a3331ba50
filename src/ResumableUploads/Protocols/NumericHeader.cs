using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols;

/// <summary>Parses header values that consist of decimal digits only, with a maximum of 2^63-1.</summary>
internal static class NumericHeader
{
    /// <summary>Parses the values of one header.</summary>
    /// <param name="values">The values of the header.</param>
    /// <param name="number">The number, or null if the header is absent.</param>
    /// <returns>False if the header is not a number, or was sent more than once.</returns>
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

using System.Globalization;

namespace ResumableUploads.Client.Protocols;

/// <summary>The structured fields (RFC 9651) that uploads use: integers, booleans, and dictionaries of integers.</summary>
internal static class StructuredField
{
    private const int MaxDigits = 15;

    /// <summary>Returns a non-negative integer, or null for any other value. Parameters are ignored.</summary>
    public static long? ParseInteger(string? value)
    {
        string? item = WithoutParameters(value);
        return item is { Length: > 0 and <= MaxDigits } && item.All(char.IsAsciiDigit) ? long.Parse(item, NumberStyles.None, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Returns a Boolean, or null for any other value. Parameters are ignored.</summary>
    public static bool? ParseBoolean(string? value) => WithoutParameters(value) switch
    {
        "?1" => true,
        "?0" => false,
        _ => null,
    };

    /// <summary>Returns the non-negative integers of a dictionary. Members of another type are omitted.</summary>
    public static Dictionary<string, long> ParseDictionary(IEnumerable<string> values)
    {
        var result = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string member in values.SelectMany(static value => value.Split(',')))
        {
            string[] parts = member.Split('=', 2);
            if (parts.Length == 2 && ParseInteger(parts[1]) is { } number)
            {
                result[parts[0].Trim()] = number;
            }
        }

        return result;
    }

    private static string? WithoutParameters(string? value) => value?.Split(';', 2)[0].Trim();
}

using System.Globalization;

namespace ResumableUploads.Cli.CommandLine;

/// <summary>Parses and formats numbers of bytes.</summary>
internal static class ByteSize
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    private static readonly Dictionary<string, long> Factors = new(StringComparer.OrdinalIgnoreCase)
    {
        [""] = 1, ["B"] = 1,
        ["K"] = 1L << 10, ["KiB"] = 1L << 10, ["KB"] = 1_000,
        ["M"] = 1L << 20, ["MiB"] = 1L << 20, ["MB"] = 1_000_000,
        ["G"] = 1L << 30, ["GiB"] = 1L << 30, ["GB"] = 1_000_000_000,
    };

    /// <summary>Parses a size such as <c>8MiB</c>, <c>8M</c>, <c>8MB</c> (8,000,000 bytes) or <c>8388608</c>. Returns null if it is invalid.</summary>
    public static long? Parse(string text)
    {
        int digits = text.TakeWhile(char.IsAsciiDigit).Count();
        return long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && Factors.TryGetValue(text[digits..], out long factor)
            && number <= long.MaxValue / factor
            ? number * factor
            : null;
    }

    /// <summary>Formats a size for people, such as <c>1.5 MiB</c>.</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        int unit = 0;

        // 1023.95 would be rounded to 1024.0.
        while (value >= (unit == 0 ? 1024 : 1023.95))
        {
            value /= 1024;
            unit++;
        }

        return unit == 0 ? $"{bytes} B" : string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {Units[unit]}");
    }
}

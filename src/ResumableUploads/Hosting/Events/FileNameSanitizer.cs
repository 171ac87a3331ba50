using System.Globalization;
using System.Text;

namespace ResumableUploads.Hosting.Events;

/// <summary>Turns a name sent by a client into a file name that is valid and harmless on every operating system.</summary>
internal static class FileNameSanitizer
{
    private const int MaxBytes = 200;
    private const string DefaultName = "file";

    private static readonly HashSet<string> ReservedNames = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
        "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "COM¹", "COM²", "COM³",
        "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "LPT¹", "LPT²", "LPT³",
    };

    public static string Sanitize(string? raw)
    {
        if (string.IsNullOrEmpty(raw))
        {
            return DefaultName;
        }

        ReadOnlySpan<char> last = raw.AsSpan(raw.AsSpan().LastIndexOfAny('/', '\\') + 1);
        var safe = new StringBuilder(last.Length);
        foreach (Rune rune in last.EnumerateRunes())
        {
            safe.Append(IsAllowed(rune) ? rune.ToString() : "_");
        }

        // A leading dot hides a file. Windows drops a trailing dot or space.
        string name = safe.ToString().Trim().TrimEnd('.', ' ').TrimStart('.', ' ');
        if (name.Length == 0)
        {
            return DefaultName;
        }

        // Programs mistake a leading hyphen for an option.
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        if (name[0] == '-' || ReservedNames.Contains((dot < 0 ? name : name[..dot]).TrimEnd()))
        {
            name = "_" + name;
        }

        return Truncate(name, "");
    }

    /// <summary>Inserts a number before the extension. Returns the name unchanged for 0.</summary>
    public static string AppendNumber(string safeName, int number) =>
        number == 0 ? safeName : Truncate(safeName, string.Create(CultureInfo.InvariantCulture, $" ({number})"));

    /// <summary>Inserts a text in parentheses before the extension.</summary>
    public static string AppendSuffix(string safeName, string suffix) => Truncate(safeName, $" ({suffix})");

    private static string Truncate(string name, string suffix)
    {
        string extension = Path.GetExtension(name);
        if (Encoding.UTF8.GetByteCount(extension) > 32)
        {
            extension = "";
        }

        string stem = name[..^extension.Length];
        int remaining = MaxBytes - Encoding.UTF8.GetByteCount(extension) - suffix.Length;
        var kept = new StringBuilder();
        foreach (Rune rune in stem.EnumerateRunes())
        {
            remaining -= rune.Utf8SequenceLength;
            if (remaining < 0)
            {
                break;
            }

            kept.Append(rune.ToString());
        }

        // Truncation can leave a dot or a space at the end.
        return kept.Append(suffix).Append(extension).ToString().TrimEnd('.', ' ');
    }

    private static bool IsAllowed(Rune rune) =>
        rune != Rune.ReplacementChar
        && !Rune.IsControl(rune)
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
        && !"<>:\"|?*/\\".Contains((char)Math.Min(rune.Value, char.MaxValue), StringComparison.Ordinal);
}

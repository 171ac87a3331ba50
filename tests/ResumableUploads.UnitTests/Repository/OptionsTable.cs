using System.Globalization;
using System.Reflection;
using System.Text;
using ResumableUploads.UnitTests.Hosting.Options;

namespace ResumableUploads.UnitTests.Repository;

/// <summary>The table of options in the README: how it has to look, and what is wrong with one.</summary>
internal static class OptionsTable
{
    public const string Begin = "<!-- options -->";
    public const string End = "<!-- /options -->";

    /// <summary>Every option that is a value: name and default, as the table writes them.</summary>
    public static IReadOnlyList<(string Option, string Default)> Expected()
    {
        var defaults = new ResumableUploadOptions();
        return
        [
            .. OptionProperties.All()
                .Where(static option => option.Property.SetMethod is { IsPublic: true } && !typeof(Delegate).IsAssignableFrom(option.Property.PropertyType))
                .Select(option => ($"`{option.Key.Replace(':', '.')}`", Format(option.Key, OptionProperties.Get(defaults, option.Key)))),
        ];
    }

    /// <summary>A default as a reader wants it: sizes in binary units, spans in the largest unit that fits, counts with thousands.</summary>
    public static string Format(string option, object? value) => value switch
    {
        null => "none",
        string text => $"`{text}`",
        bool yes => yes ? "`true`" : "`false`",
        Enum name => $"`{name}`",
        TimeSpan span => Span(span),
        long rate when option.EndsWith("DataRate", StringComparison.Ordinal) => $"{Count(rate)} bytes/s",
        long size => Size(size),
        int count => Count(count),
        _ => throw new NotSupportedException($"{option} is a {value.GetType()}: say here how it is written."),
    };

    /// <summary>The table with the words of the doc comments, to be pasted.</summary>
    public static string Render(ApiDocs docs)
    {
        var text = new StringBuilder($"{Begin}\n| Option | Default | Meaning |\n|---|---|---|\n");
        foreach ((string option, string value) in Expected())
        {
            PropertyInfo property = OptionProperties.All().Single(one => one.Key.Replace(':', '.') == option.Trim('`')).Property;
            string summary = docs.Summary($"P:{property.DeclaringType!.FullName}.{property.Name}") ?? "";
            string meaning = summary.Replace("Gets or sets ", "", StringComparison.Ordinal);
            meaning = string.Concat(meaning[..1].ToUpperInvariant(), string.Join(' ', meaning[1..].Split(' ', StringSplitOptions.RemoveEmptyEntries)));
            text.Append(CultureInfo.InvariantCulture, $"| {option} | {value} | {meaning} |\n");
        }

        return text.Append(End).Append('\n').ToString();
    }

    /// <summary>What is wrong with the table in a text; empty when nothing is.</summary>
    public static IReadOnlyList<string> Faults(string markdown)
    {
        int begin = markdown.IndexOf(Begin, StringComparison.Ordinal);
        int end = markdown.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            return [$"There is no table between {Begin} and {End}."];
        }

        var faults = new List<string>();
        var rows = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in markdown[begin..end].Split('\n').Where(static line => line.StartsWith('|')).Skip(2))
        {
            string[] cells = [.. line.Split('|').Skip(1).Select(static cell => cell.Trim())];
            if (cells.Length < 4 || cells[2].Length == 0)
            {
                faults.Add($"This row has no three cells: {line}");
            }
            else if (!rows.TryAdd(cells[0], cells[1]))
            {
                faults.Add($"{cells[0]} has two rows.");
            }
        }

        foreach ((string option, string value) in Expected())
        {
            if (!rows.Remove(option, out string? written))
            {
                faults.Add($"{option} is missing.");
            }
            else if (written != value)
            {
                faults.Add($"{option} is {value}, and the table says {written}.");
            }
        }

        faults.AddRange(rows.Keys.Select(static option => $"There is no option {option}."));
        return faults;
    }

    private static string Span(TimeSpan span) =>
        span >= TimeSpan.FromDays(1) && span.Ticks % TimeSpan.TicksPerDay == 0 ? Plural(span.Days, "day")
        : span > TimeSpan.FromHours(1) && span.Ticks % TimeSpan.TicksPerHour == 0 ? Plural((long)span.TotalHours, "hour")
        : span > TimeSpan.FromMinutes(1) && span.Ticks % TimeSpan.TicksPerMinute == 0 ? Plural((long)span.TotalMinutes, "minute")
        : span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + " s";

    private static string Size(long bytes)
    {
        string[] units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        int unit = 0;
        for (; unit < units.Length - 1 && bytes >= 1024 && bytes % 1024 == 0; unit++)
        {
            bytes /= 1024;
        }

        return $"{Count(bytes)} {units[unit]}";
    }

    private static string Plural(long number, string unit) => $"{Count(number)} {unit}{(number == 1 ? "" : "s")}";

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}

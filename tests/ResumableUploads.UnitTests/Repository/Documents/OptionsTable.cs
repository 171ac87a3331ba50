using System.Globalization;
using System.Reflection;
using ResumableUploads.UnitTests.Hosting.Options;
using ResumableUploads.UnitTests.Repository.Api;

namespace ResumableUploads.UnitTests.Repository.Documents;

/// <summary>Renders and checks the tables of options in docs/configuration.md. There is one for each group, between comments with its name.</summary>
internal static class OptionsTable
{
    public const string General = "General";

    public static IEnumerable<string> Groups => Expected().Select(static option => option.Group).Distinct();

    public static string Begin(string group) => $"<!-- options:{group} -->";

    public static string End(string group) => $"<!-- /options:{group} -->";

    /// <summary>Returns the group, the name and the default of each option that is a value, as the tables state them.</summary>
    public static IReadOnlyList<(string Group, string Option, string Default)> Expected()
    {
        var defaults = new ResumableUploadOptions();
        return
        [
            .. OptionProperties.All()
                .Where(static option => option.Property.SetMethod is { IsPublic: true } && !typeof(Delegate).IsAssignableFrom(option.Property.PropertyType))
                .Select(option => (
                    option.Key.Contains(':') ? option.Key[..option.Key.IndexOf(':')] : General,
                    $"`{option.Key.Replace(':', '.')}`",
                    Format(option.Key, OptionProperties.Get(defaults, option.Key)))),
        ];
    }

    /// <summary>Formats a default: sizes in binary units, times in the largest unit without a fraction, counts with thousands separators.</summary>
    public static string Format(string option, object? value) => value switch
    {
        null => "none",
        string text => $"`{text}`",
        bool isOn => isOn ? "`true`" : "`false`",
        Enum name => $"`{name}`",
        TimeSpan span => Span(span),
        long rate when option.EndsWith("DataRate", StringComparison.Ordinal) => $"{Count(rate)} bytes/s",
        long size => Size(size),
        int count => Count(count),
        _ => throw new NotSupportedException($"{option} is a {value.GetType()}. Add a format for it."),
    };

    /// <summary>Returns the table of a group with the summaries of the doc comments, to be copied into the document.</summary>
    public static string Render(string group, ApiDocumentation documentation)
    {
        IEnumerable<string> rows = Expected().Where(option => option.Group == group).Select(option =>
        {
            PropertyInfo property = OptionProperties.All().Single(one => one.Key.Replace(':', '.') == option.Option.Trim('`')).Property;
            string summary = documentation.Summary($"P:{property.DeclaringType!.FullName}.{property.Name}") ?? "";
            string meaning = summary.Replace("Gets or sets ", "", StringComparison.Ordinal);
            return $"| {option.Option} | {option.Default} | {meaning[..1].ToUpperInvariant()}{meaning[1..]} |\n";
        });
        return $"{Begin(group)}\n| Option | Default | Meaning |\n|---|---|---|\n{string.Concat(rows)}{End(group)}\n";
    }

    /// <summary>Returns the differences between the table of a group and the code.</summary>
    public static IReadOnlyList<string> Differences(string group, string markdown)
    {
        int begin = markdown.IndexOf(Begin(group), StringComparison.Ordinal);
        int end = markdown.IndexOf(End(group), StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            return [$"There is no table between {Begin(group)} and {End(group)}."];
        }

        var differences = new List<string>();
        var rows = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in markdown[begin..end].Split('\n').Where(static line => line.StartsWith('|')).Skip(2))
        {
            string[] cells = [.. line.Split('|').Skip(1).Select(static cell => cell.Trim())];
            if (cells.Length < 4 || cells[2].Length == 0)
            {
                differences.Add($"A row has less than three cells: {line}");
            }
            else if (!rows.TryAdd(cells[0], cells[1]))
            {
                differences.Add($"{cells[0]} has two rows.");
            }
        }

        foreach ((_, string option, string expected) in Expected().Where(option => option.Group == group))
        {
            if (!rows.Remove(option, out string? written))
            {
                differences.Add($"{option} is missing.");
            }
            else if (written != expected)
            {
                differences.Add($"{option} is {expected}, but the table says {written}.");
            }
        }

        differences.AddRange(rows.Keys.Select(option => $"{group} has no option {option}."));
        return differences;
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

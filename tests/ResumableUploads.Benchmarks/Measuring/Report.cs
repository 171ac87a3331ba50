using System.Globalization;

namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>What was measured, as Markdown.</summary>
internal sealed class Report(RunArguments run)
{
    private readonly List<string> _rows = [];
    private readonly string _loadBefore = Machine.Load();

    /// <summary>A line on what is being done, apart from the report.</summary>
    public static void Say(string text) => Console.Error.WriteLine(text);

    /// <summary>A measure of ours beside the bare one's.</summary>
    public void Add(string name, string measure, string format, Comparison result, double? atLeast = null, double? atMost = null)
    {
        string target = (atLeast, atMost) switch
        {
            ({ } least, _) => Text($"≥ {least:0.00}: {(result.Ratio >= least ? "met" : "**missed**")}"),
            (_, { } most) => Text($"≤ {most:0.00}: {(result.Ratio <= most ? "met" : "**missed**")}"),
            _ => "",
        };
        Row(name, measure, Number(result.Ours, format), Number(result.Bare, format), Text($"**{result.Ratio:0.00}** ({result.Least:0.00} to {result.Most:0.00})"), target);
    }

    /// <summary>A measure of ours that is held against a number, with the bare one's for comparison, if there is one.</summary>
    public void AddAlone(string name, string measure, string format, double ours, double? bare = null, double? atMost = null) => Row(
        name,
        measure,
        Number(ours, format),
        bare is { } other ? Number(other, format) : "",
        "",
        atMost is { } most ? $"≤ {Number(most, format)}: {(ours <= most ? "met" : "**missed**")}" : "");

    public void Print(TextWriter output)
    {
        output.WriteLine($"- Processor: {Machine.Processor()}, {Environment.ProcessorCount} cores");
        output.WriteLine($"- System: {Machine.Kernel()}, .NET {Environment.Version}");
        output.WriteLine($"- Directory: {Machine.FileSystemOf(run.Directory ?? Path.GetTempPath())}");
        output.WriteLine($"- Load average before and after: {_loadBefore} and {Machine.Load()} (the benchmark itself makes about 2)");
        output.WriteLine($"- {run.Pairs} pairs; {run.LargeSize >> 20} MiB for the large upload");
        output.WriteLine();
        output.WriteLine("| case | measure | ours | bare | ratio: median (least to most) | target |");
        output.WriteLine("|---|---|---:|---:|---|---|");
        foreach (string row in _rows)
        {
            output.WriteLine(row);
        }
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Row(params string[] cells)
    {
        string row = $"| {string.Join(" | ", cells)} |";
        _rows.Add(row);
        Say(row);
    }
}

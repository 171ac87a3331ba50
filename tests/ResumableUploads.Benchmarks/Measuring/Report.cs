using System.Globalization;

namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>The results as Markdown.</summary>
internal sealed class Report(BenchmarkArguments run)
{
    private readonly List<string> _rows = [];
    private readonly List<string> _figures = [];
    private readonly string _loadBefore = Machine.Load();

    public Chart Chart { get; } = new(
        $"One upload of {run.LargeSize >> 20} MiB over loopback, Durability.ProcessCrash", $"{Machine.Processor()}, {Environment.ProcessorCount} cores, {Machine.Kernel()}, .NET {Environment.Version}");

    /// <summary>Writes a line to standard error, separate from the report.</summary>
    public static void WriteProgress(string text) => Console.Error.WriteLine(text);

    /// <summary>Adds a row that compares two sides.</summary>
    public void Add(string name, string measure, string format, Comparison result, double? atLeast = null, double? atMost = null)
    {
        string target = (atLeast, atMost) switch
        {
            ({ } least, _) => Text($"≥ {least:0.00}: {(result.High >= least ? "met" : "**missed**")}"),
            (_, { } most) => Text($"≤ {most:0.00}: {(result.Low <= most ? "met" : "**missed**")}"),
            _ => "",
        };
        AddRow(name, measure, FormatNumber(result.Ours, format), FormatNumber(result.Baseline, format), Text($"**{result.Ratio:0.00}** ({result.Low:0.00} to {result.High:0.00})"), target);
    }

    /// <summary>Adds a row that compares a value with an absolute target, and optionally shows the value of the bare server.</summary>
    public void AddAbsolute(string name, string measure, string format, double ours, double? bare = null, double? atMost = null, double? atLeast = null)
    {
        string target = (atMost, atLeast) switch
        {
            ({ } most, _) => $"≤ {FormatNumber(most, format)}: {(ours <= most ? "met" : "**missed**")}",
            (_, { } least) => $"≥ {FormatNumber(least, format)}: {(ours >= least ? "met" : "**missed**")}",
            _ => "",
        };
        AddRow(name, measure, FormatNumber(ours, format), bare is { } other ? FormatNumber(other, format) : "", "", target);
    }

    /// <summary>Adds a row for a side that could not be measured.</summary>
    public void AddMissing(string name, string reason) => AddRow(name, "", "", "", "", $"not measured: {reason}");

    /// <summary>Adds a row with the medians of one side.</summary>
    public void AddMedians(SideMedians side)
    {
        string rate = FormatNumber(side.Rate, "0") + (side.IsSmall ? " uploads/s" : " MB/s");
        string processor = side.IsSmall ? FormatNumber(side.Processor, "0") + " µs per upload" : FormatNumber(side.Processor, "0.000") + " s per GiB";
        string allocated = FormatNumber(side.Allocated, "0.0") + (side.IsSmall ? " KiB per upload" : " KiB per GiB");
        string row = $"| {side.Name} | {rate} | {processor} | {allocated} | {FormatNumber(side.Peak, "0")} MiB | {FormatNumber(side.P50, "0.00")} | {FormatNumber(side.P99, "0.00")} |";
        _figures.Add(row);
        WriteProgress(row);
    }

    public void Print(TextWriter output)
    {
        output.WriteLine($"- Processor: {Machine.Processor()}, {Environment.ProcessorCount} cores");
        output.WriteLine($"- System: {Machine.Kernel()}, .NET {Environment.Version}");
        output.WriteLine($"- Directory: {Machine.FileSystemOf(run.Directory ?? Path.GetTempPath())}");
        output.WriteLine($"- Load average before and after: {_loadBefore} and {Machine.Load()} (the benchmark itself causes about 2)");
        output.WriteLine($"- {run.Rounds} rounds; {run.LargeSize >> 20} MiB for the large upload");
        output.WriteLine();
        output.WriteLine("| Case | Measure | Ours | Other | Ratio: median (95 % interval) | Target |");
        output.WriteLine("|---|---|---:|---:|---|---|");
        _rows.ForEach(output.WriteLine);
        if (_figures.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine("| Side | Rate | Server CPU | Allocated | Peak memory | Request p50, ms | p99, ms |");
        output.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        _figures.ForEach(output.WriteLine);
    }

    private static string FormatNumber(double value, string format) => double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void AddRow(params string[] cells)
    {
        string row = $"| {string.Join(" | ", cells)} |";
        _rows.Add(row);
        WriteProgress(row);
    }
}

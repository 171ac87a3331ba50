using ResumableUploads.Benchmarks.Cases;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Overhead;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks;

/// <summary>Without a verb: the benchmark. With <c>--overhead</c>: what other requests pay. With <c>serve</c>: one of the servers that it starts as processes of their own.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["serve", .. var rest])
        {
            await Serving.RunAsync(ServeArguments.Parse(rest));
            return 0;
        }

        if (args is ["--overhead"])
        {
            using var artifacts = new WorkPlace(parent: null);
            return OverheadMode.Run(artifacts.Root);
        }

        if (!RunArguments.TryParse(args, out RunArguments run))
        {
            await Console.Error.WriteLineAsync(RunArguments.Usage);
            return 2;
        }

#if DEBUG
        await Console.Error.WriteLineAsync("This is a debug build: its figures mean nothing. Use -c Release.");
#endif
        var report = new Report(run);
        using var place = new WorkPlace(run.Directory);
        foreach ((string name, Action<RunArguments, WorkPlace, Report> measure) in AllCases)
        {
            if (run.Includes(name))
            {
                measure(run, place, report);
            }
        }

        report.Print(Console.Out);
        if (run.Chart is { } chart)
        {
            report.Chart.Write(chart);
        }

        return 0;
    }

    private static (string Name, Action<RunArguments, WorkPlace, Report> Measure)[] AllCases =>
    [
        .. UploadCases.All,
        ("status", StatusCase.Run),
        ("idle", IdleConnectionsCase.Run),
        ("slow", SlowUploadsCase.Run),
        ("takeover", TakeoverCase.Run),
        ("growth", GrowthCase.Run),
    ];
}

using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Cases;
using ResumableUploads.Benchmarks.Cases.Disks;
using ResumableUploads.Benchmarks.Cases.Takeovers;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Overhead;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks;

/// <summary>Runs the benchmark, with <c>--overhead</c> the overhead benchmark, and with <c>serve</c> one of the servers that the benchmark starts.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["serve", .. var rest])
        {
            await ServerHost.RunAsync(ServeArguments.Parse(rest));
            return 0;
        }

        if (args is ["--overhead"])
        {
            using var artifacts = new WorkDirectory(parent: null);
            return OverheadMode.Run(artifacts.Root);
        }

        if (!BenchmarkArguments.TryParse(args, out BenchmarkArguments run))
        {
            await Console.Error.WriteLineAsync(BenchmarkArguments.Usage);
            return 2;
        }

#if DEBUG
        await Console.Error.WriteLineAsync("This is a debug build; its results are meaningless. Use -c Release.");
#endif
        var report = new Report(run);
        using var workDirectory = new WorkDirectory(run.Directory);
        foreach ((string name, Action<BenchmarkArguments, WorkDirectory, Report> measure) in AllCases)
        {
            if (run.Includes(name))
            {
                measure(run, workDirectory, report);
            }
        }

        report.Print(Console.Out);
        if (run.Chart is { } chart)
        {
            report.Chart.Write(chart);
        }

        return 0;
    }

    private static (string Name, Action<BenchmarkArguments, WorkDirectory, Report> Measure)[] AllCases =>
    [
        .. UploadCases.All,
        ("status", StatusCase.Run),
        ("idle", IdleConnectionsCase.Run),
        ("slow", SlowUploadsCase.Run),
        ("takeover", TakeoverCase.Run),
        ("takeover-azure", AzureTakeoverCase.Run),
        ("client", ClientCase.Run),
        ("growth", ScalingCase.Run),
        ("dashboard", DashboardCase.Run),
        ("slow-disk", SlowDiskCase.Run),
        ("frozen", FrozenCase.Run),
        ("rounds", static (run, workDirectory, report) => RoundsCase.Run(Durability.PowerLoss, run, workDirectory, report)),
        ("rounds-process-crash", static (run, workDirectory, report) => RoundsCase.Run(Durability.ProcessCrash, run, workDirectory, report)),
    ];
}

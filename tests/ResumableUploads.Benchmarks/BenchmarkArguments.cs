namespace ResumableUploads.Benchmarks;

/// <summary>The parsed command line.</summary>
internal sealed record BenchmarkArguments
{
    public const string Usage =
        """
        Usage: dotnet run -c Release --project tests/ResumableUploads.Benchmarks -- [options]
          --quick        a short run: 128 MiB instead of 1 GiB, 7 rounds instead of 15,
                         and only large,powerloss,small,status,takeover,client
          --dir PATH     the directory of the files (default: a new temporary directory)
          --only NAMES   one or more of: large,shapes,protocols,powerloss,small,small-powerloss,small-slow-disk,two-requests,
                         two-requests-powerloss,listeners,status,idle,slow,takeover,client,growth,dashboard,slow-disk,frozen,rounds,rounds-process-crash
          --rounds N     the number of rounds
          --uploads N    the number of uploads of the case dashboard (default: 1,000,000, with --quick 20,000)
          --chart PATH   writes a bar chart of the case large to this file, as SVG
          --overhead     must be the only option; measures the cost for requests that are not uploads, in nanoseconds and bytes
        """;

    /// <summary>The cases of a quick run, which takes about two minutes.</summary>
    private static readonly string[] QuickCases = ["large", "powerloss", "small", "status", "takeover", "client"];

    public bool Quick { get; private init; }

    public string? Directory { get; private init; }

    /// <summary>The path of the chart, or <see langword="null"/>.</summary>
    public string? Chart { get; private init; }

    public string[] OnlyCases { get; private init; } = [];

    /// <summary>The number of uploads of the case dashboard, or <see langword="null"/>.</summary>
    public int? Uploads { get; private init; }

    public int? RequestedRounds { get; private init; }

    /// <summary>The number of measurements of each side, after the warm-up.</summary>
    public int Rounds => RequestedRounds ?? (Quick ? 7 : 15);

    /// <summary>The size of the large upload, in bytes.</summary>
    public long LargeSize => Quick ? 128L << 20 : 1L << 30;

    /// <summary>
    /// The duration of one measurement of requests per second. Many short measurements are used instead of a few long ones, because other
    /// work on the machine comes in bursts.
    /// </summary>
    public TimeSpan SliceDuration => TimeSpan.FromSeconds(Quick ? 0.3 : 1);

    public bool Includes(string name) => OnlyCases.Length > 0 ? OnlyCases.Contains(name) : !Quick || QuickCases.Contains(name);

    public static bool TryParse(string[] args, out BenchmarkArguments run)
    {
        run = new BenchmarkArguments();
        for (int i = 0; i < args.Length; i++)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--quick":
                    run = run with { Quick = true };
                    continue;
                case "--dir" when value is not null:
                    run = run with { Directory = value };
                    break;
                case "--only" when value is not null:
                    run = run with { OnlyCases = value.Split(',') };
                    break;
                case "--chart" when value is not null:
                    run = run with { Chart = value };
                    break;
                case "--rounds" when int.TryParse(value, out int rounds) && rounds > 0:
                    run = run with { RequestedRounds = rounds };
                    break;
                case "--uploads" when int.TryParse(value, out int uploads) && uploads > 0:
                    run = run with { Uploads = uploads };
                    break;
                default:
                    return false;
            }

            i++;
        }

        return true;
    }
}

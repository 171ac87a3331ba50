namespace ResumableUploads.Benchmarks;

/// <summary>What the person who runs it has asked for.</summary>
internal sealed record BenchmarkArguments
{
    public const string Usage =
        """
        Usage: dotnet run -c Release --project tests/ResumableUploads.Benchmarks -- [options]
          --quick        less of everything: 128 MiB instead of 1 GiB, 7 rounds instead of 15,
                         and large,powerloss,small,status,takeover alone
          --dir PATH     where the files go (default: a new directory among the temporary ones)
          --only NAMES   some of: large,shapes,protocols,powerloss,small,small-powerloss,status,idle,slow,takeover,growth
          --rounds N     how many rounds
          --chart PATH   writes the bars of the large uploads there, as SVG (needs the case large)
          --overhead     alone: nanoseconds and bytes that the package costs requests that are none of its business
        """;

    /// <summary>What two minutes are enough for.</summary>
    private static readonly string[] QuickCases = ["large", "powerloss", "small", "status", "takeover"];

    public bool Quick { get; private init; }

    public string? Directory { get; private init; }

    /// <summary>Where the chart goes, or null.</summary>
    public string? Chart { get; private init; }

    public string[] OnlyCases { get; private init; } = [];

    public int? RequestedRounds { get; private init; }

    /// <summary>How many times each side is measured, after the warm-up.</summary>
    public int Rounds => RequestedRounds ?? (Quick ? 7 : 15);

    /// <summary>How many bytes the large upload has.</summary>
    public long LargeSize => Quick ? 128L << 20 : 1L << 30;

    /// <summary>
    /// How long one measurement of requests per second takes: many short ones rather than few long ones, because what else the machine does
    /// comes in bursts.
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
                default:
                    return false;
            }

            i++;
        }

        return true;
    }
}

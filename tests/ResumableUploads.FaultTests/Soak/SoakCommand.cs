using System.Globalization;
using System.Security.Cryptography;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>The command line of the soak: <c>--minutes N</c>, and <c>--seed S</c> to repeat a run.</summary>
/// <param name="Time">The duration. One half runs on each file system.</param>
/// <param name="Seed">The seed of everything random.</param>
internal sealed record SoakCommand(TimeSpan Time, int Seed)
{
    public const string Usage = "Usage: soak --minutes N [--seed S]   (N and S are whole numbers; N is 1 to 10000)";
    private const int MaxMinutes = 10_000;

    /// <summary>Parses the arguments. Returns null if they are invalid.</summary>
    public static SoakCommand? Parse(string[] arguments) => arguments switch
    {
        ["--minutes", var minutes] when Number(minutes) is >= 1 and <= MaxMinutes and { } time => new SoakCommand(TimeSpan.FromMinutes(time), RandomNumberGenerator.GetInt32(int.MaxValue)),
        ["--minutes", var minutes, "--seed", var seed] when Number(minutes) is >= 1 and <= MaxMinutes and { } time && Number(seed) is { } number => new SoakCommand(TimeSpan.FromMinutes(time), number),
        _ => null,
    };

    /// <summary>Runs the soak. Returns the exit code: 0 without losses, 1 for a loss, 2 for invalid arguments.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (Parse(arguments) is not { } command)
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }

        Console.WriteLine($"soak --minutes {command.Time.TotalMinutes} --seed {command.Seed}");
        var all = new List<SoakTotals>();
        try
        {
            foreach (string fileSystem in new[] { "ext4", "xfs" })
            {
                all.Add(await new SoakRun(fileSystem, command.Seed).RunAsync(command.Time / 2));
                Console.WriteLine($"{all[^1]}\n{all[^1].Counts}");
            }
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }

        Console.WriteLine(SoakTotals.Table(all));
        return 0;
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}

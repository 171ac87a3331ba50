using System.Globalization;
using System.Security.Cryptography;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>The command line of the soak: <c>--minutes N</c>, and <c>--seed S</c> for a run that is to be repeated.</summary>
/// <param name="Time">How long it runs: one half on each file system.</param>
/// <param name="Seed">What all that is random follows from.</param>
internal sealed record SoakCommand(TimeSpan Time, int Seed)
{
    public const string Usage = "Usage: soak --minutes N [--seed S]   (N and S are whole numbers; N is 1 to 10000)";
    private const int MaxMinutes = 10_000;

    /// <summary>Null where the arguments are not understood.</summary>
    public static SoakCommand? Parse(string[] arguments) => arguments switch
    {
        ["--minutes", var minutes] when Number(minutes) is >= 1 and <= MaxMinutes and { } time => new SoakCommand(TimeSpan.FromMinutes(time), RandomNumberGenerator.GetInt32(int.MaxValue)),
        ["--minutes", var minutes, "--seed", var seed] when Number(minutes) is >= 1 and <= MaxMinutes and { } time && Number(seed) is { } number => new SoakCommand(TimeSpan.FromMinutes(time), number),
        _ => null,
    };

    /// <summary>The exit code: 0 where nothing was lost, 1 for a loss, 2 for arguments that are not understood.</summary>
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

using System.Globalization;
using System.Security.Cryptography;

namespace ResumableUploads.FaultTests.Crashes;

/// <summary>What somebody who looks for more says by environment variables.</summary>
internal static class CrashSettings
{
    /// <summary>How many rounds of kills in all; else null. Usual: 200.</summary>
    public static int? Rounds => Number("RESUMABLE_UPLOADS_CRASH_ROUNDS");

    /// <summary>What decides all that is random: another one each time, unless it is said.</summary>
    public static int Seed => Number("RESUMABLE_UPLOADS_CRASH_SEED") ?? RandomNumberGenerator.GetInt32(int.MaxValue);

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : null;
}

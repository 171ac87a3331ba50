using System.Globalization;
using System.Security.Cryptography;

namespace ResumableUploads.FaultTests.Crashes;

/// <summary>Settings from environment variables, for longer runs.</summary>
internal static class CrashSettings
{
    /// <summary>Gets the total number of kills, or null if it is not set. The default is 200.</summary>
    public static int? Rounds => Number("RESUMABLE_UPLOADS_CRASH_ROUNDS");

    /// <summary>Gets the seed of everything random. It differs for each run unless it is set.</summary>
    public static int Seed => Number("RESUMABLE_UPLOADS_CRASH_SEED") ?? RandomNumberGenerator.GetInt32(int.MaxValue);

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : null;
}

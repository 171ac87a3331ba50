using System.Globalization;

namespace ResumableUploads.TestKit.Support;

/// <summary>The number of iterations of random cases, multiplied by the environment variable RESUMABLE_UPLOADS_ROUNDS.</summary>
internal static class IterationCount
{
    public static int Scale(int count) =>
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_ROUNDS"), CultureInfo.InvariantCulture, out int factor) && factor > 1
            ? checked(count * factor)
            : count;
}

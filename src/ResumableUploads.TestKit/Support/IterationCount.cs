using System.Globalization;

namespace ResumableUploads.TestKit.Support;

/// <summary>How often random cases try. The environment variable RESUMABLE_UPLOADS_ROUNDS multiplies it.</summary>
internal static class IterationCount
{
    public static int Scale(int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_ROUNDS"), CultureInfo.InvariantCulture, out int factor) && factor > 1
            ? checked(usual * factor)
            : usual;
}

using System.Globalization;

namespace ResumableUploads.TestKit.Cases;

/// <summary>How often random cases try. The environment variable RESUMABLE_UPLOADS_ROUNDS multiplies it.</summary>
internal static class Rounds
{
    public static int Of(int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_ROUNDS"), CultureInfo.InvariantCulture, out int factor) && factor > 1
            ? checked(usual * factor)
            : usual;
}

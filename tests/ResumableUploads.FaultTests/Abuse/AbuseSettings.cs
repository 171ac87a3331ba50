using System.Globalization;
using ResumableUploads.FaultTests.Network;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>The sizes of the abuse tests.</summary>
internal static class AbuseSettings
{
    /// <summary>One slow connection needs a socket and three files in the server, and one socket in the test process.</summary>
    private const int HandlesPerConnection = 4;

    private const int OtherHandles = 1000;

    /// <summary>Gets the number of concurrent slow connections: 4,000, or fewer if the handle limit of the process is lower.</summary>
    public static int Connections => Math.Min(4000, (ServerUsage.MaxHandles() - OtherHandles) / HandlesPerConnection);

    /// <summary>Gets the number of uploads in the directory of a starting server: 5,000, or RESUMABLE_UPLOADS_MANY.</summary>
    public static int Many =>
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_MANY"), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 5000;

    /// <summary>Gets the timeout of one sweep over all uploads.</summary>
    public static TimeSpan SweepTimeout => TimeSpan.FromMinutes(5) + (Many * TimeSpan.FromMilliseconds(1));

    /// <summary>Gets the number of abandoned uploads: 5,000, or 100,000 with RESUMABLE_UPLOADS_ROUNDS=20.</summary>
    public static int Abandoned => 5000 * NetworkRuns.Rounds;
}

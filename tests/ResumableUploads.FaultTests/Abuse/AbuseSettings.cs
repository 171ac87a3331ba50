using System.Globalization;
using ResumableUploads.FaultTests.Network;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>How many of each there are.</summary>
internal static class AbuseSettings
{
    /// <summary>A slow connection takes a socket and three files of the server's, and a socket of the test's.</summary>
    private const int HandlesPerConnection = 4;

    private const int OtherHandles = 1000;

    /// <summary>Slow connections at a time: 4,000, or as many as the system lets a process have.</summary>
    public static int Connections => Math.Min(4000, (ServerUsage.MaxHandles() - OtherHandles) / HandlesPerConnection);

    /// <summary>Uploads in the directory of a server that is started: 5,000, or as many as RESUMABLE_UPLOADS_MANY says.</summary>
    public static int Many =>
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_MANY"), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 5000;

    /// <summary>How long a walk over all of them may take before something is wrong.</summary>
    public static TimeSpan WalkPatience => TimeSpan.FromSeconds(60) + (Many * TimeSpan.FromMilliseconds(1));

    /// <summary>Uploads that are begun and left: 5,000, and 100,000 with RESUMABLE_UPLOADS_ROUNDS=20.</summary>
    public static int Abandoned => 5000 * NetworkRuns.Rounds;
}

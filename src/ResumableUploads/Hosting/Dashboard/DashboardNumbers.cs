using System.Globalization;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>The numbers of the dashboard as text, by the name that the markup and the live updates share.</summary>
internal static class DashboardNumbers
{
    public const string Appends = "appends";
    public const string Preemptions = "preemptions";
    public const string Refusals = "refusals";

    /// <summary>Returns the name of a number of a store.</summary>
    public static string OfStore(int index, string name) => string.Create(CultureInfo.InvariantCulture, $"store-{index}-{name}");

    /// <summary>Returns all numbers.</summary>
    public static Dictionary<string, string> From(UploadStatistics statistics, DateTimeOffset now)
    {
        var numbers = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Appends] = Text(statistics.ActiveAppends),
            [Preemptions] = Text(statistics.RecentPreemptions),
            [Refusals] = Text(statistics.RecentRefusals.Values.Sum()),
        };
        for (int i = 0; i < statistics.Stores.Count; i++)
        {
            UploadStoreStatistics store = statistics.Stores[i];
            numbers[OfStore(i, "receiving")] = DashboardText.Totals(store.Receiving);
            numbers[OfStore(i, "received")] = DashboardText.Totals(store.Received);
            numbers[OfStore(i, "dead-lettered")] = DashboardText.Totals(store.DeadLettered);
            numbers[OfStore(i, "completed")] = DashboardText.Totals(store.Completed);
            numbers[OfStore(i, "free")] = store.FreeSpace is { } free ? DashboardText.Bytes(free) : "unknown";
            numbers[OfStore(i, "sweep")] = store.LastSweep is { } sweep ? $"{DashboardText.Duration(now - sweep)} ago" : "none yet";
        }

        return numbers;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}

namespace ResumableUploads;

/// <summary>What the stores of an application contain, and what the requests of this process do.</summary>
public sealed class UploadStatistics
{
    internal UploadStatistics()
    {
    }

    /// <summary>Gets the stores. Empty before the application has started.</summary>
    public required IReadOnlyList<UploadStoreStatistics> Stores { get; init; }

    /// <summary>Gets the number of requests of this process whose content is being stored.</summary>
    public required int ActiveAppends { get; init; }

    /// <summary>Gets the number of append requests of this process that another request for the same upload has ended in the last hour.</summary>
    public required long RecentPreemptions { get; init; }

    /// <summary>
    /// Gets the number of requests of this process that were answered with a problem in the last hour, by the last part of the problem type, such as <c>busy</c>.
    /// </summary>
    public required IReadOnlyDictionary<string, long> RecentRefusals { get; init; }
}

namespace ResumableUploads;

/// <summary>Options of a dashboard for operators.</summary>
public sealed class ResumableUploadsDashboardOptions
{
    /// <summary>
    /// Gets or sets a value that indicates whether the dashboard can be used without authorization. It shows and changes the uploads of all owners, so set it only if
    /// the dashboard is protected by other means, such as a separate port. The default is <see langword="false"/>, which requires the default authorization policy.
    /// </summary>
    public bool AllowUnauthenticatedAccess { get; set; }

    /// <summary>
    /// Gets or sets the name of the authorization policy that a user must satisfy to download the content of uploads, in addition to the policies of the dashboard. It is also
    /// required if <see cref="AllowUnauthenticatedAccess"/> is set. The default is <see langword="null"/>, which means that the dashboard has no downloads.
    /// </summary>
    public string? DownloadPolicy { get; set; }

    /// <summary>Gets or sets the number of uploads per page: 1 to 1,000. The default is 50.</summary>
    public int PageSize { get; set; } = 50;

    /// <summary>Gets or sets the interval of live updates: 0.5 seconds to 1 minute. The default is 1 second.</summary>
    public TimeSpan UpdateInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets the maximum number of open pages with live updates in this process: 0 to 1,000. The pages above it work without live updates. Each open page
    /// reads its uploads in every interval. The default is 8.
    /// </summary>
    public int MaxLiveConnections { get; set; } = 8;

    internal void Validate()
    {
        Check(DownloadPolicy is not "", $"{nameof(DownloadPolicy)} must be the name of an authorization policy, or null.");
        Check(PageSize is >= 1 and <= UploadListQuery.MaxPageSize, $"{nameof(PageSize)} must be 1 to 1000.");
        Check(UpdateInterval >= TimeSpan.FromSeconds(0.5) && UpdateInterval <= TimeSpan.FromMinutes(1), $"{nameof(UpdateInterval)} must be 0.5 seconds to 1 minute.");
        Check(MaxLiveConnections is >= 0 and <= 1000, $"{nameof(MaxLiveConnections)} must be 0 to 1000.");
    }

    private static void Check(bool isValid, string message)
    {
        if (!isValid)
        {
            throw new ArgumentException(message);
        }
    }
}

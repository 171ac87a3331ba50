namespace ResumableUploads.Blazor;

/// <summary>The progress of all uploads of a component.</summary>
public sealed record BrowserUploadProgress
{
    /// <summary>Gets the number of sent bytes of all uploads that are not failed.</summary>
    public long Offset { get; init; }

    /// <summary>Gets the size in bytes of all uploads that are not failed.</summary>
    public long Size { get; init; }

    /// <summary>Gets the number of uploads.</summary>
    public int Total { get; init; }

    /// <summary>Gets the number of completed uploads.</summary>
    public int Completed { get; init; }

    /// <summary>Gets the number of failed uploads.</summary>
    public int Failed { get; init; }

    /// <summary>Gets the current rate in bytes per second.</summary>
    public double BytesPerSecond { get; init; }

    /// <summary>Gets the estimated time until all uploads are completed, or <see langword="null"/> if the rate is not known.</summary>
    public TimeSpan? TimeLeft { get; init; }

    /// <summary>Gets the uploads that send bytes or wait for a retry.</summary>
    public IReadOnlyList<BrowserUpload> Running { get; init; } = [];
}

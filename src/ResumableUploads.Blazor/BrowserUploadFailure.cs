namespace ResumableUploads.Blazor;

/// <summary>What is known about a failure.</summary>
public sealed record BrowserUploadFailure
{
    /// <summary>Gets the reason.</summary>
    public BrowserUploadFailureReason Reason { get; init; }

    /// <summary>Gets the HTTP status code, or <see langword="null"/> if no response caused the failure.</summary>
    public int? Status { get; init; }

    /// <summary>Gets the title of the problem response, at most 1 KiB.</summary>
    public string? Title { get; init; }

    /// <summary>Gets the detail of the problem response, at most 2 KiB.</summary>
    public string? Detail { get; init; }

    /// <summary>Gets the maximum size in bytes, if the file is larger.</summary>
    public long? Limit { get; init; }

    /// <summary>Gets a value indicating whether the same upload can succeed later.</summary>
    public bool CanRetry { get; init; }
}

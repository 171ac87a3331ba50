namespace ResumableUploads.Blazor;

/// <summary>Options of the uploads in the browser.</summary>
public sealed record BrowserUploadOptions
{
    /// <summary>Gets additional request headers, which the browser sends with each request.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Gets a value indicating whether cookies are sent to another origin. The default is <see langword="false"/>.</summary>
    public bool IncludeCredentials { get; init; }

    /// <summary>Gets the maximum number of concurrent uploads. The default is 3.</summary>
    public int? Concurrency { get; init; }

    /// <summary>Gets the maximum size of a request in bytes. The default is the maximum of the server.</summary>
    public long? ChunkSize { get; init; }

    /// <summary>Gets a value indicating whether the SHA-256 of each file is sent, so that the server verifies it. The default is <see langword="false"/>.</summary>
    public bool Digest { get; init; }

    /// <summary>Gets a value indicating whether added uploads start. Otherwise <see cref="ResumableUpload.ResumeAsync"/> starts them. The default is <see langword="true"/>.</summary>
    public bool AutoStart { get; init; } = true;
}

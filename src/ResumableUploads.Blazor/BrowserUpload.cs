using System.Text.Json.Serialization;

namespace ResumableUploads.Blazor;

/// <summary>A snapshot of an upload. All values come from the browser, so the server must not trust them.</summary>
public sealed record BrowserUpload
{
    /// <summary>Gets the number of the upload in its component.</summary>
    public int Key { get; init; }

    /// <summary>Gets the id that the server knows, or <see langword="null"/> before it is computed.</summary>
    public string? Id { get; init; }

    /// <summary>Gets the name of the file.</summary>
    [JsonRequired]
    public string Name { get; init; } = "";

    /// <summary>Gets the path of the file in the chosen or dropped folder, or the name.</summary>
    [JsonRequired]
    public string RelativePath { get; init; } = "";

    /// <summary>Gets the size of the file in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Gets the number of bytes that are sent.</summary>
    public long Offset { get; init; }

    /// <summary>Gets the state.</summary>
    public BrowserUploadState State { get; init; }

    /// <summary>Gets the failure in the states <see cref="BrowserUploadState.Failed"/> and <see cref="BrowserUploadState.Waiting"/>.</summary>
    public BrowserUploadFailure? Failure { get; init; }

    /// <summary>Gets the response in state <see cref="BrowserUploadState.Completed"/>.</summary>
    public BrowserUploadResult? Result { get; init; }
}

using System.Text.Json.Serialization;

namespace ResumableUploads.Blazor;

/// <summary>The response of the server to a completed upload.</summary>
public sealed record BrowserUploadResult
{
    /// <summary>Gets a value indicating whether the server had the file before and returned its stored response.</summary>
    public bool WasAlreadyCompleted { get; init; }

    /// <summary>Gets the HTTP status code.</summary>
    public int Status { get; init; }

    /// <summary>Gets the headers with lowercase names, at most 4 KiB. The browser hides some headers of other origins.</summary>
    [JsonRequired]
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Gets the body as text, at most <see cref="ResumableUpload.MaxResponseBodySize"/> bytes of UTF-8.</summary>
    [JsonRequired]
    public string Body { get; init; } = "";

    /// <summary>Gets a value indicating whether the end of the body is missing because it is too large.</summary>
    public bool IsBodyTruncated { get; init; }
}

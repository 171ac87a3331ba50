using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Appending;

/// <summary>The result of an attempt to create an upload.</summary>
internal abstract record CreationResult
{
    /// <summary>No upload was created.</summary>
    public sealed record Failed(UploadResult Result) : CreationResult;

    /// <summary>The upload exists. Another process may have created it concurrently.</summary>
    /// <param name="Info">The upload.</param>
    /// <param name="Record">The engine's data in its record.</param>
    /// <param name="HasContent">Whether this request has created the upload together with all of its content.</param>
    public sealed record Created(UploadInfo Info, EngineRecord Record, bool HasContent) : CreationResult
    {
        /// <summary>Gets whether another process has created the upload.</summary>
        public bool IsForeign { get; init; }
    }
}

using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>A request to move the content of an upload out of the store.</summary>
/// <param name="Key">The key of the upload.</param>
/// <param name="Version">The version that the upload must have.</param>
/// <param name="Target">The full path of the target.</param>
/// <param name="Overwrite">Whether an existing file is replaced.</param>
internal sealed record MoveRequest(UploadKey Key, string Version, string Target, bool Overwrite);

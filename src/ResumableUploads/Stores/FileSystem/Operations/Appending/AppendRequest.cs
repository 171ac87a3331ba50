using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Operations.Appending;

/// <summary>A request to append to an upload.</summary>
/// <param name="Key">The key of the upload.</param>
/// <param name="Offset">The offset that the upload must have.</param>
/// <param name="Mode">Which bytes are kept.</param>
/// <param name="Content">The content, which is not read before the upload is open.</param>
internal sealed record AppendRequest(UploadKey Key, long Offset, AppendMode Mode, UploadContent Content);

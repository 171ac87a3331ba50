using Microsoft.Extensions.Logging;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>What every part of the store works with.</summary>
internal sealed record StoreContext(
    FileSystemUploadStoreOptions Options, UploadPaths Paths, FileLayer Files, TimeProvider Time, ILogger Logger);

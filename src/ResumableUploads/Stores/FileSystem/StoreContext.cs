using Microsoft.Extensions.Logging;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>The dependencies that all operations of a store share.</summary>
internal sealed record StoreContext(
    FileSystemUploadStoreOptions Options, StorePaths Paths, FileLayer Files, TimeProvider TimeProvider, ILogger Logger);

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>An upload whose lock this process holds until the object is disposed.</summary>
/// <param name="key">The key of the upload.</param>
/// <param name="lockFile">The open lock file.</param>
/// <param name="paths">The paths of the upload's files.</param>
/// <param name="record">The record, as it was read under the lock.</param>
/// <param name="dataFileState">The reconciled state of the data file of a receiving upload, or null in the other states.</param>
internal sealed class LockedUpload(UploadKey key, OpenFile lockFile, UploadFilePaths paths, StoredRecord record, DataFileState? dataFileState) : IDisposable
{
    public UploadKey Key => key;

    public UploadFilePaths Paths { get; } = paths;

    /// <summary>Gets or sets the record. Only the holder of the lock changes it.</summary>
    public StoredRecord Record { get; set; } = record;

    /// <summary>Gets or sets whether the record or the name of the upload may not be durable. Every durable change makes both durable.</summary>
    public bool IsUnsynced { get; set; }

    public DataFileState? DataFileState { get; } = dataFileState;

    public long Offset => DataFileState?.Offset ?? Record.FinalOffset ?? 0;

    public string Version => Record.GetVersion(Offset);

    /// <summary>Returns whether the upload still exists. An unconditional delete does not take the lock.</summary>
    public bool Exists(FileLayer files) => files.FileExists(Paths.LockPath);

    public void Dispose() => lockFile.Dispose();
}

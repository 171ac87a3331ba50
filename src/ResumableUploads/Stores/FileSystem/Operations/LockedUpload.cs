using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>An upload whose lock this process holds until the object is disposed.</summary>
/// <param name="lockFile">The open lock file.</param>
/// <param name="paths">The paths of the upload's files.</param>
/// <param name="record">The record, as it was read under the lock.</param>
/// <param name="dataFileState">The reconciled state of the data file of a receiving upload, or null in the other states.</param>
internal sealed class LockedUpload(OpenFile lockFile, UploadFilePaths paths, StoredRecord record, DataFileState? dataFileState) : IDisposable
{
    public UploadFilePaths Paths { get; } = paths;

    public StoredRecord Record { get; } = record;

    public DataFileState? DataFileState { get; } = dataFileState;

    public long Offset => DataFileState?.Offset ?? Record.FinalOffset ?? 0;

    public string Version => Record.GetVersion(Offset);

    /// <summary>Returns whether the upload still exists. An unconditional delete does not take the lock.</summary>
    public bool Exists(FileLayer files) => files.FileExists(Paths.LockPath);

    public void Dispose() => lockFile.Dispose();
}

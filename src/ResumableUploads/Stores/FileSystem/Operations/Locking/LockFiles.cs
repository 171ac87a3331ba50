using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations.Locking;

/// <summary>Takes the lock files of uploads, and creates those that were lost or were not needed until now.</summary>
internal sealed class LockFiles(StoreContext context)
{
    private readonly FileLayer _files = context.Files;

    /// <summary>Tries to lock an upload.</summary>
    /// <param name="key">The key of the upload.</param>
    /// <param name="paths">The paths of the upload's files.</param>
    /// <param name="lockFile">The open lock file, or null if it is locked.</param>
    /// <returns>False if the upload was deleted, or if the lock file was missing and has been created. The upload must be read again.</returns>
    public bool TryLock(UploadKey key, UploadFilePaths paths, out OpenFile? lockFile)
    {
        lockFile = null;
        try
        {
            lockFile = _files.TryLock(paths.LockPath);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
        catch (FileNotFoundException)
        {
            Restore(_files, paths.LockPath);
            DeleteThatOfEarlierUpload(key, paths);
            return false;
        }
    }

    /// <summary>Creates the lock file of an existing upload.</summary>
    public static void Restore(FileLayer files, string path)
    {
        try
        {
            if (files.DirectoryExists(Path.GetDirectoryName(path)!))
            {
                files.CreateFile(path).Dispose();
            }
        }
        catch (IOException) when (files.FileExists(path) || !files.DirectoryExists(Path.GetDirectoryName(path)!))
        {
            // Another request created it first, or the upload was deleted.
        }
    }

    /// <summary>
    /// Deletes a restored lock file if the upload was deleted, or replaced, before it was restored, and the directory belongs to another upload. It would be mistaken
    /// for that of an upload that exists.
    /// </summary>
    private void DeleteThatOfEarlierUpload(UploadKey key, UploadFilePaths paths)
    {
        using FileSnapshot? current = _files.ReadSnapshot(context.Paths.GetRecordPath(key), RecordCodec.MaxLength);
        if (current is not null && RecordCodec.Decode(current.Content).Record is { } record && record.Nonce != paths.Nonce)
        {
            _files.DeleteFile(paths.LockPath);
        }
    }
}

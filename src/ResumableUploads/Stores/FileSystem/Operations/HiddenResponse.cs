using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>
/// Gives the response that an earlier build has stored a name that belongs to one upload only, while the record of the upload is replaced. Under that name, it counts only as long as the
/// record names the upload and has no response.
/// </summary>
internal static class HiddenResponse
{
    /// <summary>Hides the response, if there is one and the upload was not deleted.</summary>
    public static void Hide(FileLayer files, LockedUpload upload)
    {
        UploadFilePaths paths = upload.Paths;
        if (!files.FileExists(paths.LegacyResponsePath) || !upload.Exists(files))
        {
            return;
        }

        try
        {
            files.RenameFile(paths.LegacyResponsePath, paths.HiddenResponsePath);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return;
        }

        if (!upload.Exists(files))
        {
            // Another process has deleted the upload, and created the one whose response was hidden.
            Restore(files, paths);
        }
    }

    /// <summary>Gives the response its name back, unless a new one was stored.</summary>
    private static void Restore(FileLayer files, UploadFilePaths paths)
    {
        try
        {
            files.RenameFileNoReplace(paths.HiddenResponsePath, paths.LegacyResponsePath);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            // The upload was deleted.
        }
    }
}

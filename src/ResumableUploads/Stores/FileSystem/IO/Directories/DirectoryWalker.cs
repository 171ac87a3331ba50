namespace ResumableUploads.Stores.FileSystem.IO.Directories;

/// <summary>Enumerates the subdirectories of a directory in ordinal order, with a bounded number of names in memory.</summary>
internal static class DirectoryWalker
{
    /// <summary>The number of names read per pass over the directory: about 8 MB of the longest names.</summary>
    public const int BatchSize = 32 * 1024;

    /// <param name="files">The file system.</param>
    /// <param name="path">The directory. If it does not exist, it has no names.</param>
    /// <param name="after">The name after which to start, or null.</param>
    /// <param name="onError">Called if the directory cannot be read. If it does not throw, the enumeration ends.</param>
    public static IEnumerable<string> EnumerateNames(FileLayer files, string path, string? after, Action<Exception> onError)
    {
        List<string> names;
        do
        {
            names = ReadBatch(files, path, after, onError);
            foreach (string name in names)
            {
                yield return name;
                after = name;
            }
        }
        while (names.Count == BatchSize);
    }

    private static List<string> ReadBatch(FileLayer files, string path, string? after, Action<Exception> onError)
    {
        try
        {
            return files.GetDirectoryNames(path, after, BatchSize);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            if (!StorageErrors.IsNotFound(e))
            {
                onError(e);
            }

            return [];
        }
    }
}

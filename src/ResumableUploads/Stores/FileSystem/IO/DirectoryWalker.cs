namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>The names of the directories in a directory, in ordinal order, of which some thousands are in memory at a time.</summary>
internal static class DirectoryWalker
{
    /// <summary>The directory is read once for so many of its names: some 8 MB for the longest that there are.</summary>
    public const int BatchSize = 32 * 1024;

    /// <param name="files">The file system.</param>
    /// <param name="path">The directory. Where there is none it has no names.</param>
    /// <param name="after">The name to begin behind, or null.</param>
    /// <param name="failed">Is told that the directory cannot be read. If it does not throw, the names end there.</param>
    public static IEnumerable<string> EnumerateNames(FileLayer files, string path, string? after, Action<Exception> failed)
    {
        List<string> names;
        do
        {
            names = ReadBatch(files, path, after, failed);
            foreach (string name in names)
            {
                yield return name;
                after = name;
            }
        }
        while (names.Count == BatchSize);
    }

    private static List<string> ReadBatch(FileLayer files, string path, string? after, Action<Exception> failed)
    {
        try
        {
            return files.GetDirectoryNames(path, after, BatchSize);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            if (!StorageErrors.IsNotFound(e))
            {
                failed(e);
            }

            return [];
        }
    }
}

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary><see cref="FileLayer.ReplaceFile"/> where there are no calls that go through a directory. On Windows one with an open file in it cannot be moved away.</summary>
internal static class PortableFileReplacer
{
    public static bool Replace(FileLayer files, string directory, string guard, string name, string temporary, ReadOnlySpan<byte> content, bool sync)
    {
        string from = Path.Combine(directory, temporary);
        if (!File.Exists(Path.Combine(directory, guard)))
        {
            return false;
        }

        try
        {
            using var file = new OpenFile(File.OpenHandle(from, FileMode.Create, FileAccess.Write), from);
            RandomAccess.Write(file.Handle, content, 0);
            if (sync)
            {
                files.MarkNameUnsynced(file);
                files.Sync(file);
            }

            if (OperatingSystem.IsWindows())
            {
                // There an open file cannot be renamed.
                file.Dispose();
            }

            files.RenameFile(from, Path.Combine(directory, name));
            if (sync)
            {
                files.SyncDirectory(directory);
                files.MarkNameSynced(file);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }

        return true;
    }
}

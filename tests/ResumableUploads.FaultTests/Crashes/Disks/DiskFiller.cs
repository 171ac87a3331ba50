namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>Creates a file that fills the remaining disk space until it is deleted.</summary>
internal static class DiskFiller
{
    private const long LeastLeft = 1 << 20;

    public static string Fill(string disk)
    {
        string path = Path.Combine(disk, "ballast");
        using FileStream file = Preallocate(path, new DriveInfo(disk).TotalFreeSpace);
        foreach (int length in (ReadOnlySpan<int>)[1 << 20, 4096])
        {
            FillUp(file, new byte[length]);
        }

        return path;
    }

    /// <summary>
    /// Allocates most of the space at once. A disk reserves some, and finding out how much in small steps takes long on a large disk.
    /// </summary>
    private static FileStream Preallocate(string path, long size)
    {
        for (long left = LeastLeft; left < size; left *= 2)
        {
            try
            {
                var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, PreallocationSize = size - left, BufferSize = 0 };
                return new FileStream(path, options) { Position = size - left };
            }
            catch (IOException)
            {
                // Retry with a smaller size.
            }
        }

        return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    private static void FillUp(FileStream file, byte[] block)
    {
        try
        {
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // The disk is full for blocks of this size.
        }
    }
}

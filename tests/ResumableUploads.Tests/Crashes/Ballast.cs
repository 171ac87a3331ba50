namespace ResumableUploads.Tests.Crashes;

/// <summary>A file that takes all the room that a disk has left, until it is deleted.</summary>
internal static class Ballast
{
    private const long Step = 1 << 20;

    public static string Fill(string disk)
    {
        string path = Path.Combine(disk, "ballast");
        using FileStream file = Preallocate(path, new DriveInfo(disk).TotalFreeSpace);
        byte[] block = new byte[4096];
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
            return path;
        }
    }

    /// <summary>Most of it at once: a disk keeps some room for itself.</summary>
    private static FileStream Preallocate(string path, long size)
    {
        for (; size > Step; size -= Step)
        {
            try
            {
                var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, PreallocationSize = size, BufferSize = 0 };
                return new FileStream(path, options) { Position = size };
            }
            catch (IOException)
            {
                // Less, then.
            }
        }

        return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }
}

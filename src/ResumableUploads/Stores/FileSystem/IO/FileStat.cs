namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>The status of a file.</summary>
/// <param name="Length">The length in bytes.</param>
/// <param name="LastWriteTime">The modification time.</param>
/// <param name="Device">The device that the file is on, or 0 if it is not known.</param>
/// <param name="Inode">The number of the file on its device, or 0 if it is not known.</param>
internal readonly record struct FileStat(long Length, DateTime LastWriteTime, ulong Device = 0, ulong Inode = 0);

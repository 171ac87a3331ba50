using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>A file that was read completely. While the handle is open, the system gives its inode number to no other file.</summary>
/// <param name="path">The path of the file.</param>
/// <param name="buffer">The buffer with the content, from <see cref="ArrayPool{T}.Shared"/>, to which it returns when the snapshot is disposed.</param>
/// <param name="length">The length of the content, in bytes.</param>
/// <param name="handle">The open file, or null.</param>
/// <param name="stat">The status of the file when it was read, or null if the layer did not get it.</param>
internal sealed class FileSnapshot(string path, byte[] buffer, int length, SafeFileHandle? handle = null, FileStat? stat = null) : IDisposable
{
    private byte[]? _buffer = buffer;

    public string Path { get; } = path;

    /// <summary>Gets the content, which is valid until the snapshot is disposed.</summary>
    public ReadOnlySpan<byte> Content
    {
        get
        {
            byte[]? buffer = _buffer;
            ObjectDisposedException.ThrowIf(buffer is null, this);
            return buffer.AsSpan(0, length);
        }
    }

    /// <summary>Gets the status of the file when it was read, or null if the layer did not get it.</summary>
    public FileStat? Stat { get; } = stat;

    /// <summary>Creates a snapshot of content that is in a buffer of its own.</summary>
    public static FileSnapshot Copy(string path, ReadOnlySpan<byte> content)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(content.Length);
        content.CopyTo(buffer);
        return new FileSnapshot(path, buffer, content.Length);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            // Records contain headers of requests.
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }

        handle?.Dispose();
    }
}

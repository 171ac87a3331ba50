using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Client.Sources;

/// <summary>Opens sources.</summary>
internal static class SourceFactory
{
    public static UploadSource OpenFile(string path, UploadOptions options)
    {
        // Other processes may write to the file, which is detected, and not prevented.
        SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        try
        {
            return CanSeek(handle)
                ? new FileSource(handle, path, 0, ownsHandle: true, CreateHasher(options))
                : new BufferedSource(new FileStream(handle, FileAccess.Read, bufferSize: 0), ownsStream: true, options.Length, options.ChunkSize ?? UploadSource.DefaultChunkSize, CreateHasher(options));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public static UploadSource OfStream(Stream stream, UploadOptions options)
    {
        if (!stream.CanRead)
        {
            throw new ArgumentException("The stream cannot be read.", nameof(stream));
        }

        ContentHasher? hasher = CreateHasher(options);
        return stream is FileStream { CanSeek: true } file ? new FileSource(file.SafeFileHandle, file.Name, file.Position, ownsHandle: false, hasher)
            : stream.CanSeek ? new SeekableStreamSource(stream, hasher)
            : new BufferedSource(stream, ownsStream: false, options.Length, options.ChunkSize ?? UploadSource.DefaultChunkSize, hasher);
    }

    /// <summary>Returns false for a pipe.</summary>
    private static bool CanSeek(SafeFileHandle handle)
    {
        try
        {
            return RandomAccess.GetLength(handle) >= 0;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }

    private static ContentHasher? CreateHasher(UploadOptions options) => options.Digest == UploadDigest.None ? null : new ContentHasher(options.Digest);
}

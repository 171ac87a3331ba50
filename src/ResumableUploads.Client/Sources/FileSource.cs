using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Client.Sources;

/// <summary>A file from a position to its end.</summary>
internal sealed class FileSource : RandomAccessSource
{
    private readonly SafeFileHandle _handle;
    private readonly long _start;
    private readonly bool _ownsHandle;
    private readonly long _fileLength;
    private readonly DateTime _lastWriteTime;

    /// <param name="handle">The file.</param>
    /// <param name="path">The path.</param>
    /// <param name="start">The position of the first byte.</param>
    /// <param name="ownsHandle">Whether the handle is closed with the source.</param>
    /// <param name="hasher">The hasher, or null.</param>
    public FileSource(SafeFileHandle handle, string path, long start, bool ownsHandle, ContentHasher? hasher)
        : base(Math.Max(0, RandomAccess.GetLength(handle) - start), hasher)
    {
        (_handle, Path, _start, _ownsHandle) = (handle, path, start, ownsHandle);
        _fileLength = RandomAccess.GetLength(handle);
        _lastWriteTime = File.GetLastWriteTimeUtc(handle);
    }

    public string Path { get; }

    public override string FileName => System.IO.Path.GetFileName(Path);

    /// <summary>Gets the modification time in milliseconds since 1970.</summary>
    public long LastModified => new DateTimeOffset(_lastWriteTime).ToUnixTimeMilliseconds();

    protected override string Attributes => _lastWriteTime.Ticks.ToString(CultureInfo.InvariantCulture);

    public override ValueTask DisposeAsync()
    {
        if (_ownsHandle)
        {
            _handle.Dispose();
        }

        return base.DisposeAsync();
    }

    protected override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(_handle, buffer, _start + offset, cancellationToken);

    protected override void ThrowIfChanged()
    {
        if (RandomAccess.GetLength(_handle) is var length && length != _fileLength)
        {
            throw SourceException.Changed($"the file had {_fileLength} bytes and now has {length}.");
        }

        if (File.GetLastWriteTimeUtc(_handle) != _lastWriteTime)
        {
            throw SourceException.Changed("the file was written to.");
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>The content of a staged append, which becomes one block. Short content stays in memory; longer content goes to a temporary file of this server.</summary>
internal sealed class StagedContent(BufferPool pool) : IAsyncDisposable
{
    public const int MaxLength = BlockSizes.MaxSize;
    private const int MaxMemory = 1024 * 1024;
    private const int CopyBufferSize = 128 * 1024;

    private readonly BlockBuffer _memory = new(pool);
    private FileStream? _file;

    public long Length => _memory.Length + (_file?.Length ?? 0);

    /// <summary>Reads content to its end. Bytes beyond the maximum length are discarded.</summary>
    /// <returns>Whether all bytes are staged.</returns>
    public async ValueTask<bool> ReadAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        bool fits = true;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            try
            {
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    fits = fits && Length + segment.Length <= MaxLength;
                    if (fits)
                    {
                        await AddAsync(segment, cancellationToken);
                    }
                }
            }
            finally
            {
                reader.AdvanceTo(result.Buffer.End);
            }

            if (result.IsCompleted)
            {
                return fits;
            }
        }
    }

    /// <summary>Opens a stream of the content.</summary>
    public Stream OpenRead()
    {
        if (_file is null)
        {
            return _memory.OpenRead();
        }

        return new FileStream(_file.Name, new FileStreamOptions
        {
            Access = FileAccess.Read,
            Share = FileShare.ReadWrite | FileShare.Delete,
            Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            BufferSize = CopyBufferSize,
        });
    }

    public async ValueTask DisposeAsync()
    {
        _memory.Dispose();
        if (_file is not null)
        {
            await _file.DisposeAsync();
        }
    }

    private async ValueTask AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            if (_file is null)
            {
                bytes = bytes[_memory.Write(bytes.Span, MaxMemory)..];
                if (bytes.IsEmpty)
                {
                    return;
                }

                _file = CreateFile();
                await using Stream memory = _memory.OpenRead();
                await memory.CopyToAsync(_file, CopyBufferSize, cancellationToken);
                _memory.Dispose();
            }

            await _file.WriteAsync(bytes, cancellationToken);
            await _file.FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UploadStoreException(StoreFailure.Full, "A temporary file for a staged append could not be written. Check the free space of the temporary directory.", null, e);
        }
    }

    private static FileStream CreateFile()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(Path.Combine(Path.GetTempPath(), $"resumable-upload-{Guid.NewGuid():N}"), options);
    }
}

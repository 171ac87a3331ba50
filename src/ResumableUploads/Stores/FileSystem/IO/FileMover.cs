using System.Buffers;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>Puts a finished content at a path: by a rename, or by a copy that is durable before it gets its name.</summary>
internal sealed class FileMover(FileLayer files, ILogger logger)
{
    private const int BlockSize = 256 * 1024;

    /// <summary>Renames a file. Returns false if the target exists and must not be replaced.</summary>
    public bool TryRename(string from, string to, bool overwrite)
    {
        if (!overwrite)
        {
            return files.RenameFileNoReplace(from, to);
        }

        files.RenameFile(from, to);
        return true;
    }

    /// <summary>
    /// Copies the content to a part file in the directory of the target, syncs it and renames it. Returns false if the target exists and must not
    /// be replaced.
    /// </summary>
    /// <param name="content">The content. It is read from its current position to its end.</param>
    /// <param name="target">The path of the copy.</param>
    /// <param name="partName">The name of the part file. A file of this name is replaced.</param>
    /// <param name="overwrite">Whether an existing file at the target is replaced.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<bool> TryCopyAsync(Stream content, string target, string partName, bool overwrite, CancellationToken cancellationToken)
    {
        string part = Path.Combine(Path.GetDirectoryName(target)!, partName);
        await CopyToPartAsync(content, part, cancellationToken);
        return TryPublish(part, target, overwrite);
    }

    /// <summary>Copies the content to a part file and syncs it. An existing file is replaced. After a failure there is no part file.</summary>
    public async ValueTask CopyToPartAsync(Stream content, string part, CancellationToken cancellationToken)
    {
        bool copied = false;
        try
        {
            // An earlier attempt may have left one.
            files.DeleteFile(part);
            using OpenFile copy = files.CreateFile(part);
            await WriteAsync(content, copy, cancellationToken);

            // Always, because the caller deletes the source next.
            files.Sync(copy);
            copied = true;
        }
        finally
        {
            if (!copied)
            {
                DeletePart(part);
            }
        }
    }

    /// <summary>
    /// Renames a part file to its target, which is in the same directory. Deletes the part file and returns false if the target exists and must not be
    /// replaced.
    /// </summary>
    public bool TryPublish(string part, string target, bool overwrite)
    {
        bool renamed = false;
        try
        {
            renamed = TryRename(part, target, overwrite);
        }
        finally
        {
            if (!renamed)
            {
                DeletePart(part);
            }
        }

        if (renamed)
        {
            files.SyncDirectory(Path.GetDirectoryName(target)!);
        }

        return renamed;
    }

    /// <summary>Returns whether there is a file at the path with the same bytes as the content.</summary>
    public async ValueTask<bool> HasSameContentAsync(Stream content, string path, CancellationToken cancellationToken)
    {
        if (files.Stat(path) is not { } stat || stat.Length != content.Length)
        {
            return false;
        }

        byte[] left = ArrayPool<byte>.Shared.Rent(BlockSize);
        byte[] right = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            using var other = new BoundedReadStream(files.OpenRead(path), stat.Length);
            for (long offset = 0; offset < stat.Length;)
            {
                int count = await content.ReadAtLeastAsync(left.AsMemory(0, BlockSize), BlockSize, throwOnEndOfStream: false, cancellationToken);
                int otherCount = await other.ReadAtLeastAsync(right.AsMemory(0, BlockSize), BlockSize, throwOnEndOfStream: false, cancellationToken);
                if (count == 0 || !left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, otherCount)))
                {
                    return false;
                }

                offset += count;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(left);
            ArrayPool<byte>.Shared.Return(right);
        }
    }

    private async ValueTask WriteAsync(Stream content, OpenFile copy, CancellationToken cancellationToken)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            long length = content.Length;
            for (long offset = 0; offset < length;)
            {
                int read = await content.ReadAsync(block.AsMemory(), cancellationToken);
                if (read == 0)
                {
                    throw new UploadStoreException(StoreFailure.Corrupt, $"The content for '{copy.Path}' ended after {offset} of {length} bytes.", length);
                }

                files.Write(copy, block.AsMemory(0, read), offset);
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <summary>Deletes a part file. A failure is logged.</summary>
    public void DeletePart(string part)
    {
        try
        {
            files.DeleteFile(part);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            Log.DeleteFailed(logger, part, e);
        }
    }
}

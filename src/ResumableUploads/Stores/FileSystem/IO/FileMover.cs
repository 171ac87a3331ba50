using System.Buffers;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>Puts a finished content at a path: by a rename, or by a copy that is durable before it gets its name.</summary>
/// <param name="files">The file system.</param>
/// <param name="logger">The logger.</param>
/// <param name="scheduler">The scheduler of calls that take long.</param>
internal sealed class FileMover(FileLayer files, ILogger logger, DiskScheduler scheduler)
{
    /// <summary>The lane of moves. Their targets can be on a volume that hangs, and must not hold up uploads. No owner has this name.</summary>
    public const string Lane = "/";

    private const int BlockSize = 256 * 1024;

    /// <summary>Runs a call on a thread of the scheduler, in the lane of moves.</summary>
    public ValueTask<T> RunAsync<T>(Func<T> call, CancellationToken cancellationToken) =>
        scheduler.RunAsync(CreateOptions(DiskCallKind.Device), call, static call => call(), cancellationToken);

    /// <summary>Creates a directory and its missing parents, and makes their names durable. Does nothing if the directory exists.</summary>
    public void CreateDirectory(string path)
    {
        if (files.DirectoryExists(path))
        {
            return;
        }

        string? parent = Path.GetDirectoryName(path);
        if (parent is not null)
        {
            CreateDirectory(parent);
        }

        files.CreateDirectory(path);
        if (parent is not null)
        {
            SyncParent(parent);
        }
    }

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

    /// <summary>Copies the content to a part file and syncs it. An existing file is replaced. After a failure there is no part file.</summary>
    /// <param name="content">The content. It is read from its current position to its end.</param>
    /// <param name="part">The path of the part file.</param>
    /// <param name="lastWriteTime">The modification time of the copy, or null for the time at which it is written.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask CopyToPartAsync(Stream content, string part, DateTime? lastWriteTime, CancellationToken cancellationToken)
    {
        OpenFile? copy = null;
        bool copied = false;
        try
        {
            copy = await RunAsync(() => Create(part), cancellationToken);
            await WriteAsync(content, copy, cancellationToken);
            await RunAsync(() => Finish(copy, lastWriteTime), cancellationToken);
            copied = true;
        }
        finally
        {
            await RunAsync(() => CloseCopy(copy, copied ? null : part), CancellationToken.None);
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
            SyncName(target);
        }

        return renamed;
    }

    /// <summary>Makes the name of a file durable.</summary>
    public void SyncName(string path) => files.SyncDirectory(Path.GetDirectoryName(path)!);

    /// <summary>Returns the modification time of a file, or null if it does not exist.</summary>
    public DateTime? GetLastWriteTime(string path) => files.Stat(path)?.LastWriteTime;

    /// <summary>Returns whether there is a file at the path with the same bytes as the content.</summary>
    public async ValueTask<bool> HasSameContentAsync(Stream content, string path, CancellationToken cancellationToken)
    {
        if (await RunAsync(() => OpenCandidate(path, content.Length), cancellationToken) is not { } other)
        {
            return false;
        }

        byte[] left = ArrayPool<byte>.Shared.Rent(BlockSize);
        byte[] right = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            for (long offset = 0; offset < other.Length;)
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
            await other.DisposeAsync();
            ArrayPool<byte>.Shared.Return(left);
            ArrayPool<byte>.Shared.Return(right);
        }
    }

    private void SyncParent(string path)
    {
        try
        {
            files.SyncDirectory(path);
        }
        catch (Exception e) when (StorageErrors.IsAccessDenied(e))
        {
            // A process can create directories in a directory that it may not read.
        }
    }

    private OpenFile Create(string part)
    {
        // An earlier attempt may have left one.
        files.DeleteFile(part);
        return files.CreateFile(part);
    }

    private bool Finish(OpenFile copy, DateTime? lastWriteTime)
    {
        if (lastWriteTime is { } time)
        {
            files.SetLastWriteTime(copy, time);
        }

        // Always, because the caller deletes the source next.
        files.Sync(copy);
        return true;
    }

    private bool CloseCopy(OpenFile? copy, string? rejectedPart)
    {
        copy?.Dispose();
        if (rejectedPart is not null)
        {
            DeletePart(rejectedPart);
        }

        return true;
    }

    /// <summary>Opens the file that may have the same content, or returns null if it does not exist or has another length.</summary>
    private BoundedReadStream? OpenCandidate(string path, long length) => files.Stat(path) is { } stat && stat.Length == length
        ? new BoundedReadStream(files.OpenRead(path), length, scheduler, Lane)
        : null;

    private static DiskCallOptions CreateOptions(DiskCallKind kind) => new(Lane, kind, AbandonDelay: null);

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

                await scheduler.RunAsync(
                    CreateOptions(DiskCallKind.Cached),
                    (files, copy, bytes: block.AsMemory(0, read), offset),
                    static s =>
                    {
                        s.files.Write(s.copy, s.bytes, s.offset);
                        return true;
                    },
                    cancellationToken);
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

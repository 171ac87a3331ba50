using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Hosting.Events;

/// <summary>
/// Puts the content of a finished upload at a path: by a move if the store has <see cref="IContentMover"/>, otherwise by a copy that is durable before
/// it gets its name.
/// </summary>
internal sealed class UploadContentMover(IUploadStore store, UploadKey key, EngineRecord record)
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromMilliseconds(250);
    private static readonly FileMover Files = new(
        FileLayer.Default, NullLogger.Instance, new DiskScheduler("Upload move", new FileSystemUploadStoreOptions().MaxThreads, TimeProvider.System));

    /// <summary>Moves or copies the content. Returns the path of the file, or null if another file is at the target.</summary>
    /// <param name="target">The full path of the target.</param>
    /// <param name="overwrite">Whether an existing file is replaced.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced, or its content was already moved out of a store that cannot move it.</exception>
    public async ValueTask<string?> TryMoveAsync(string target, bool overwrite, CancellationToken cancellationToken)
    {
        string directory = Path.GetDirectoryName(target) ?? throw new ArgumentException("The target path must not be the root of a file system.", nameof(target));
        await Files.RunAsync(() => CreateDirectory(directory), cancellationToken);
        return store.GetCapability<IContentMover>() is { } mover ? await MoveAsync(mover, target, overwrite, cancellationToken)
            : await CopyAsync(target, overwrite, cancellationToken) ? target
            : null;
    }

    private async ValueTask<string?> MoveAsync(IContentMover mover, string target, bool overwrite, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeProvider.System, LockTimeout, MaxRetryDelay);
        while (true)
        {
            UploadInfo info = await store.GetExistingAsync(key, record, cancellationToken);
            MoveResult result = await mover.MoveContentAsync(key, info.Version, target, overwrite, cancellationToken);
            switch (result.Status)
            {
                case MoveStatus.Moved:
                    return result.Path;
                case MoveStatus.TargetExists:
                    return null;
            }

            // Usually this process is renewing the lease of the handler at this moment. If the upload was removed, the next read throws.
            if (!await backoff.WaitAsync(cancellationToken))
            {
                throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {key} is locked by another request or process.");
            }
        }
    }

    /// <summary>
    /// Copies the content. The copy has a modification time that identifies the upload: after a crash, the handler runs again, and a file that its first run
    /// created must be distinguished from an equal file of another upload.
    /// </summary>
    private async ValueTask<bool> CopyAsync(string target, bool overwrite, CancellationToken cancellationToken)
    {
        Stream content = await store.OpenReadAsync(key, record, cancellationToken)
            ?? throw new InvalidOperationException($"The content of upload {key} was already moved out of the store.");
        await using (content)
        {
            DateTime time = GetIdentifyingTime();
            if (!overwrite && await Files.RunAsync(() => GetLastWriteTime(target), cancellationToken) is { } existing)
            {
                return existing == time && await Files.HasSameContentAsync(content, target, cancellationToken);
            }

            string part = Path.Combine(Path.GetDirectoryName(target)!, $".{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}.part");
            await Files.CopyToPartAsync(content, part, time, cancellationToken);
            return await Files.RunAsync(() => Files.TryPublish(part, target, overwrite), CancellationToken.None);
        }
    }

    private static bool CreateDirectory(string path)
    {
        FileLayer.Default.CreateDirectory(path);
        return true;
    }

    private static DateTime? GetLastWriteTime(string path) => File.Exists(path) ? File.GetLastWriteTimeUtc(path) : null;

    /// <summary>Returns the second in which the upload was created, with a fraction that depends on its key and the exact time.</summary>
    private DateTime GetIdentifyingTime()
    {
        DateTime created = record.Created.UtcDateTime;
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{key}\n{created.Ticks}"));
        long fraction = (long)(BinaryPrimitives.ReadUInt64LittleEndian(hash) % TimeSpan.TicksPerSecond);
        return created.AddTicks(fraction - (created.Ticks % TimeSpan.TicksPerSecond));
    }
}

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
/// it gets its name. Copies content within the storage service and creates URLs of it.
/// </summary>
internal sealed class UploadContentMover(IUploadStore store, UploadKey key, EngineRecord record, FileMover files)
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromMilliseconds(250);
    private static readonly FileMover DefaultFiles = new(
        FileLayer.Default, NullLogger.Instance, new DiskScheduler("Upload move", new FileSystemUploadStoreOptions().MaxThreads, TimeProvider.System));

    public UploadContentMover(IUploadStore store, UploadKey key, EngineRecord record)
        : this(store, key, record, DefaultFiles)
    {
    }

    /// <summary>Moves or copies the content. Returns the path of the file, or null if another file is at the target.</summary>
    /// <param name="target">The full path of the target.</param>
    /// <param name="overwrite">Whether an existing file is replaced.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced, or its content was already moved out of a store that cannot move it.</exception>
    public async ValueTask<string?> TryMoveAsync(string target, bool overwrite, CancellationToken cancellationToken)
    {
        string directory = Path.GetDirectoryName(target) ?? throw new ArgumentException("The target path must not be the root of a file system.", nameof(target));
        await RunAsync(() => files.CreateDirectory(directory), cancellationToken);
        return store.GetCapability<IContentMover>() is { } mover ? await MoveAsync(mover, target, overwrite, cancellationToken)
            : await CopyAsync(target, overwrite, cancellationToken) ? target
            : null;
    }

    /// <summary>Copies the content to an object of the storage service. Returns whether it has, or false if another object is at the target.</summary>
    /// <exception cref="NotSupportedException">The store cannot copy content.</exception>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced.</exception>
    public async ValueTask<bool> TryCopyToContainerAsync(string container, string name, bool overwrite, CancellationToken cancellationToken)
    {
        IContentCopier copier = GetCapability<IContentCopier>("copy content within its storage service");
        CopyStatus status = await RetryAsync(
            info => copier.CopyContentAsync(key, info.Version, container, name, overwrite, cancellationToken),
            static status => status is CopyStatus.Copied or CopyStatus.TargetExists,
            cancellationToken);
        return status == CopyStatus.Copied;
    }

    /// <summary>Creates a URL that lets its bearer read the content.</summary>
    /// <exception cref="NotSupportedException">The store cannot create URLs.</exception>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced.</exception>
    public async ValueTask<Uri> CreateReadUrlAsync(TimeSpan lifetime, CancellationToken cancellationToken)
    {
        IContentUrlProvider provider = GetCapability<IContentUrlProvider>("create URLs of its content");
        Uri? url = await RetryAsync(
            info => provider.CreateReadUrlAsync(key, info.Version, lifetime, cancellationToken), static url => url is not null, cancellationToken);
        return url!;
    }

    private T GetCapability<T>(string what) where T : class => store.GetCapability<T>() ?? throw new NotSupportedException(
        $"The store cannot {what}, because it does not have the capability {typeof(T).Name}. Read the content with OpenReadAsync instead. A decorator that derives from {nameof(DelegatingUploadStore)} hides the capability of its inner store unless it overrides {nameof(IUploadStore.GetCapability)}.");

    private async ValueTask<string?> MoveAsync(IContentMover mover, string target, bool overwrite, CancellationToken cancellationToken)
    {
        MoveResult result = await RetryAsync(
            info => mover.MoveContentAsync(key, info.Version, target, overwrite, cancellationToken),
            static result => result.Status is MoveStatus.Moved or MoveStatus.TargetExists,
            cancellationToken);
        return result.Status == MoveStatus.Moved ? result.Path : null;
    }

    /// <summary>Calls the store with the current version of the upload until the result is final.</summary>
    private async ValueTask<T> RetryAsync<T>(Func<UploadInfo, ValueTask<T>> call, Func<T, bool> isFinal, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeProvider.System, LockTimeout, MaxRetryDelay);
        while (true)
        {
            T result = await call(await store.GetExistingAsync(key, record, cancellationToken));
            if (isFinal(result))
            {
                return result;
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
            if (!overwrite && await files.RunAsync(() => files.GetLastWriteTime(target), cancellationToken) is { } existing)
            {
                if (existing != time || !await files.HasSameContentAsync(content, target, cancellationToken))
                {
                    return false;
                }

                // The first run may have been killed before the name of the file was durable.
                await RunAsync(() => files.SyncName(target), cancellationToken);
                return true;
            }

            string part = Path.Combine(Path.GetDirectoryName(target)!, $".{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}.part");
            await files.CopyToPartAsync(content, part, time, cancellationToken);
            return await files.RunAsync(() => files.TryPublish(part, target, overwrite), CancellationToken.None);
        }
    }

    private async ValueTask RunAsync(Action call, CancellationToken cancellationToken) => await files.RunAsync(
        () =>
        {
            call();
            return true;
        },
        cancellationToken);

    /// <summary>Returns the second in which the upload was created, with a fraction that depends on its key and the exact time.</summary>
    private DateTime GetIdentifyingTime()
    {
        DateTime created = record.Created.UtcDateTime;
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{key}\n{created.Ticks}"));
        long fraction = (long)(BinaryPrimitives.ReadUInt64LittleEndian(hash) % TimeSpan.TicksPerSecond);
        return created.AddTicks(fraction - (created.Ticks % TimeSpan.TicksPerSecond));
    }
}

using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Hosting.Events;

/// <summary>
/// Puts the content of a finished upload at a path: by a move if the store has <see cref="IContentMover"/>, otherwise by a copy that is durable before
/// it gets its name.
/// </summary>
internal sealed class UploadContentMover(IUploadStore store, UploadKey key)
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromMilliseconds(250);
    private static readonly FileMover Files = new(FileLayer.Default, NullLogger.Instance);

    /// <summary>Moves or copies the content. Returns the path of the file, or null if another file is at the target.</summary>
    /// <param name="target">The full path of the target.</param>
    /// <param name="overwrite">Whether an existing file is replaced.</param>
    /// <param name="isRepeat">Whether an existing file with the same content may come from an earlier call for this upload.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<string?> TryMoveAsync(string target, bool overwrite, bool isRepeat, CancellationToken cancellationToken)
    {
        string directory = Path.GetDirectoryName(target) ?? throw new ArgumentException("The target path must not be the root of a file system.", nameof(target));
        FileLayer.Default.CreateDirectory(directory);
        return store.GetCapability<IContentMover>() is { } mover ? await MoveAsync(mover, target, overwrite, cancellationToken)
            : await CopyAsync(target, overwrite, isRepeat, cancellationToken) ? target
            : null;
    }

    private async ValueTask<string?> MoveAsync(IContentMover mover, string target, bool overwrite, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeProvider.System, LockTimeout, MaxRetryDelay);
        while (true)
        {
            MoveResult result = await mover.MoveContentAsync(key, target, overwrite, cancellationToken);
            switch (result.Status)
            {
                case MoveStatus.Moved:
                    return result.Path;
                case MoveStatus.TargetExists:
                    return null;
                case MoveStatus.Busy when await backoff.WaitAsync(cancellationToken):
                    // Usually this process is renewing the lease of the handler at this moment.
                    break;
                case MoveStatus.Busy:
                    throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {key} is locked by another request or process.");
                default:
                    throw new InvalidOperationException($"Upload {key} does not exist any more.");
            }
        }
    }

    private async ValueTask<bool> CopyAsync(string target, bool overwrite, bool isRepeat, CancellationToken cancellationToken)
    {
        Stream content = await store.OpenReadAsync(key, cancellationToken)
            ?? throw new InvalidOperationException($"The content of upload {key} was already moved out of the store.");
        await using (content)
        {
            if (File.Exists(target) && !overwrite)
            {
                // After a crash the handler runs again, and its first run may have created the file. In a first run it is another file.
                return isRepeat && await Files.HasSameContentAsync(content, target, cancellationToken);
            }

            string partName = $".{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}.part";
            return await Files.TryCopyAsync(content, target, partName, overwrite, cancellationToken);
        }
    }
}

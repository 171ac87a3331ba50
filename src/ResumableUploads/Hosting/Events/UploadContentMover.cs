using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Hosting.Events;

/// <summary>Hands a finished content over as a file: by a move where the store can, else by a copy that is durable before it has its name.</summary>
internal static class UploadContentMover
{
    private const int BufferSize = 64 * 1024;
    private const int MaxAttempts = 20;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);

    /// <summary>Where the content is then, or null when another file is at the target.</summary>
    /// <param name="store">Where it is now.</param>
    /// <param name="key">The upload.</param>
    /// <param name="target">Where it is to be.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced.</param>
    /// <param name="isRepeat">Whether an equal file that is there may be the work of an earlier call for this upload.</param>
    /// <param name="cancellationToken">Ends a copy.</param>
    public static async ValueTask<string?> TryMoveAsync(
        IUploadStore store, UploadKey key, string target, bool overwrite, bool isRepeat, CancellationToken cancellationToken)
    {
        string directory = Path.GetDirectoryName(target) ?? throw new ArgumentException("The target has no directory.", nameof(target));
        Directory.CreateDirectory(directory);
        if (store.GetCapability<IContentMover>() is not { } mover)
        {
            return await CopyAsync(store, key, directory, target, overwrite, isRepeat, cancellationToken) ? target : null;
        }

        for (int attempt = 1; ; attempt++)
        {
            MoveResult result = await mover.MoveContentAsync(key, target, overwrite, cancellationToken);
            switch (result.Status)
            {
                case MoveStatus.Moved:
                    return result.Path;
                case MoveStatus.TargetExists:
                    return null;
                case MoveStatus.Busy when attempt < MaxAttempts:
                    // Most often the lease of this very run, which is just being renewed.
                    await Task.Delay(RetryDelay, TimeProvider.System, cancellationToken);
                    break;
                case MoveStatus.Busy:
                    throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {key} is being changed by somebody else.");
                default:
                    throw new InvalidOperationException("The upload is gone.");
            }
        }
    }

    private static async ValueTask<bool> CopyAsync(
        IUploadStore store, UploadKey key, string directory, string target, bool overwrite, bool isRepeat, CancellationToken cancellationToken)
    {
        Stream content = await store.OpenReadAsync(key, cancellationToken)
            ?? throw new InvalidOperationException("The content was moved away.");
        await using (content)
        {
            // After a crash the handler runs again: then the file that is there is this content already. In a first run it is another's.
            if (File.Exists(target) && !overwrite)
            {
                return isRepeat && await HasSameContentAsync(content, target, cancellationToken);
            }

            var layer = new FileLayer();
            string part = Path.Combine(directory, $".{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}.part");
            try
            {
                using (OpenFile file = layer.CreateFile(part))
                {
                    await WriteAsync(content, file, cancellationToken);
                    layer.Sync(file);
                }

                if (overwrite)
                {
                    layer.RenameFile(part, target);
                }
                else if (!layer.RenameFileNoReplace(part, target))
                {
                    return false;
                }
            }
            finally
            {
                File.Delete(part);
            }

            layer.SyncDirectory(directory);
            return true;
        }
    }

    private static async ValueTask WriteAsync(Stream content, OpenFile file, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferSize];
        long offset = 0;
        int read;
        while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
        {
            RandomAccess.Write(file.Handle, buffer.AsSpan(0, read), offset);
            offset += read;
        }
    }

    private static async ValueTask<bool> HasSameContentAsync(Stream content, string target, CancellationToken cancellationToken)
    {
        FileStream other = File.OpenRead(target);
        await using (other)
        {
            if (other.Length != content.Length)
            {
                return false;
            }

            byte[] a = await SHA256.HashDataAsync(content, cancellationToken);
            byte[] b = await SHA256.HashDataAsync(other, cancellationToken);
            content.Position = 0;
            return a.AsSpan().SequenceEqual(b);
        }
    }
}

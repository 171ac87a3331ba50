using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Content;

/// <summary>Reads an upload and its content, and not those of a later upload with the same key.</summary>
internal static class StoredContent
{
    /// <summary>Opens the content for reading, like <see cref="IUploadStore.OpenReadAsync"/>.</summary>
    /// <returns>The content, or null if it was moved out of the store.</returns>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced.</exception>
    public static async ValueTask<Stream?> OpenReadAsync(this IUploadStore store, UploadKey key, EngineRecord record, CancellationToken cancellationToken)
    {
        Stream? content = await store.OpenReadAsync(key, cancellationToken);
        try
        {
            // An upload that exists now also existed when its content was opened.
            await store.GetExistingAsync(key, record, cancellationToken);
            return content;
        }
        catch
        {
            await (content?.DisposeAsync() ?? default);
            throw;
        }
    }

    /// <summary>Reads an upload that must be the one of the record.</summary>
    /// <exception cref="InvalidOperationException">The upload was deleted or replaced.</exception>
    public static async ValueTask<UploadInfo> GetExistingAsync(this IUploadStore store, UploadKey key, EngineRecord record, CancellationToken cancellationToken) =>
        await (store.GetCapability<IDeferredSyncStore>()?.GetUnsyncedAsync(key, cancellationToken) ?? store.GetAsync(key, cancellationToken)) is { } info && record.IsOf(info)
            ? info
            : throw new InvalidOperationException($"Upload {key} no longer exists: it was deleted or replaced by a new upload.");

    /// <summary>Returns the durable offset of the upload of the record, or null if the upload no longer exists or the storage fails.</summary>
    public static async ValueTask<long?> TryGetOffsetAsync(this IUploadStore store, UploadKey key, EngineRecord record)
    {
        try
        {
            return await store.GetAsync(key, CancellationToken.None) is { } info && record.IsOf(info) ? info.Offset : null;
        }
        catch (Exception)
        {
            // The caller handles another failure of the store already, and a decorator may throw any exception.
            return null;
        }
    }
}

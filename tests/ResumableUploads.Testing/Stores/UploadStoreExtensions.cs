using ResumableUploads.Abstractions;
using Xunit;

namespace ResumableUploads.Testing.Stores;

internal static class UploadStoreExtensions
{
    /// <summary>Completes an upload with a response in its current version, or replaces the response of a completed one.</summary>
    public static async Task<UploadInfo> CompleteAsync(this IUploadStore store, UploadKey key, byte[] response)
    {
        UploadInfo info = (await store.GetAsync(key, CancellationToken.None))!;
        UpdateResult result = await store.CompleteAsync(key, info.Version, info.Record with { State = UploadState.Completed }, response, CancellationToken.None);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        return result.Info!;
    }
}

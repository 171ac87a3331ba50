using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Stores.S3;

/// <summary>Short forms of the calls of a store, for one upload.</summary>
internal static class TestUploads
{
    public static readonly UploadKey Key = new("owner", "upload");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static async Task<UploadInfo> CreateAsync(this IUploadStore store, UploadKey? key = null)
    {
        CreateResult result = await store.CreateAsync(key ?? Key, new UploadRecord(), Token);
        Assert.Equal(CreateStatus.Created, result.Status);
        return result.Info!;
    }

    public static async Task<AppendResult> AppendAsync(this IUploadStore store, long offset, byte[] bytes, UploadKey? key = null, AppendMode mode = AppendMode.KeepPartial) =>
        await store.AppendAsync(key ?? Key, offset, RecordingContent.FromBytes(bytes), mode, Token);

    public static async Task<UploadInfo> GetAsync(this IUploadStore store, UploadKey? key = null) =>
        Assert.IsType<UploadInfo>(await store.GetAsync(key ?? Key, Token));

    public static async Task<UploadInfo> SetStateAsync(this IUploadStore store, UploadState state, UploadKey? key = null)
    {
        UploadInfo info = await store.GetAsync(key);
        UpdateResult result = await store.UpdateAsync(info.Key, info.Version, info.Record with { State = state }, Token);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        return result.Info!;
    }

    public static async Task<UploadInfo> CreateReceivedAsync(this IUploadStore store, byte[] bytes, UploadKey? key = null)
    {
        await store.CreateAsync(key);
        Assert.Equal(bytes.Length, (await store.AppendAsync(0, bytes, key)).Offset);
        return await store.SetStateAsync(UploadState.Received, key);
    }

    public static async Task<byte[]> ReadAsync(this IUploadStore store, UploadKey? key = null)
    {
        await using Stream stream = Assert.IsAssignableFrom<Stream>(await store.OpenReadAsync(key ?? Key, Token));
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Token);
        return copy.ToArray();
    }

    /// <summary>Appends the content of another upload, as a concatenation does.</summary>
    public static async Task<AppendResult> AppendUploadAsync(this IUploadStore store, UploadKey key, long offset, UploadKey source)
    {
        await using Stream stream = Assert.IsAssignableFrom<Stream>(await store.OpenReadAsync(source, Token));
        AppendResult result = await store.AppendAsync(key, offset, new PartContent(stream), AppendMode.KeepPartial, Token);
        Assert.Equal(AppendStatus.Appended, result.Status);
        return result;
    }
}

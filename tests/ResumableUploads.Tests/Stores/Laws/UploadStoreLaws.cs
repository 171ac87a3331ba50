using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Tests.Stores.Laws;

/// <summary>
/// The laws of <see cref="IUploadStore"/> as cases, run once for each kind of store. A case needs an empty store and a clock, and knows
/// nothing of how the store works.
/// </summary>
public abstract partial class UploadStoreLaws : IAsyncLifetime
{
    /// <summary>How long a case waits for what should come at once. Reached only when it fails.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    protected static readonly UploadKey Key = new("owner", "upload");

    private IUploadStore? _store;

    /// <summary>The store under test, empty at the beginning.</summary>
    protected IUploadStore Store => _store!;

    /// <summary>The clock that the store was given.</summary>
    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));

    /// <summary>What ends a case from outside.</summary>
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Opens a store on storage that is empty, with <see cref="Time"/> as its clock.</summary>
    protected abstract ValueTask<IUploadStore> OpenStoreAsync();

    /// <summary>Removes the storage.</summary>
    protected virtual ValueTask RemoveStorageAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync() => _store = await OpenStoreAsync();

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(_store);
        await RemoveStorageAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes a store, if it is made to be disposed.</summary>
    protected static async ValueTask CloseAsync(IUploadStore? store)
    {
        if (store is IAsyncDisposable asynchronous)
        {
            await asynchronous.DisposeAsync();
        }
        else
        {
            (store as IDisposable)?.Dispose();
        }
    }

    /// <summary>Bytes that look random and are the same for the same seed.</summary>
    protected static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Two pieces as one.</summary>
    protected static byte[] Joined(byte[] first, byte[] second) => [.. first, .. second];

    protected async Task<UploadInfo> CreateAsync(UploadKey? key = null, UploadRecord? record = null)
    {
        CreateResult result = await Store.CreateAsync(key ?? Key, record ?? new UploadRecord(), Token);
        Assert.Equal(CreateStatus.Created, result.Status);
        return Assert.IsType<UploadInfo>(result.Info);
    }

    protected async Task<UploadInfo> GetAsync(UploadKey? key = null) =>
        Assert.IsType<UploadInfo>(await Store.GetAsync(key ?? Key, Token));

    /// <summary>Starts an append that stays on the thread pool, whatever the store does.</summary>
    protected Task<AppendResult> StartAppend(
        long offset, UploadContent content, UploadKey? key = null, AppendMode mode = AppendMode.KeepWhatCame) =>
        Task.Run(async () => await Store.AppendAsync(key ?? Key, offset, content, mode, Token), Token);

    protected Task<AppendResult> AppendAsync(long offset, ReadOnlySpan<byte> bytes, UploadKey? key = null) =>
        StartAppend(offset, PipeContent.Of(bytes), key).WaitAsync(Patience, Token);

    /// <summary>Makes an upload with a content.</summary>
    protected async Task<UploadInfo> CreateWithAsync(byte[] bytes, UploadKey? key = null)
    {
        await CreateAsync(key);
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(0, bytes, key)).Status);
        return await GetAsync(key);
    }

    /// <summary>Brings an upload into another state.</summary>
    protected async Task<UploadInfo> UpdateStateAsync(UploadState state, UploadKey? key = null)
    {
        UploadInfo info = await GetAsync(key);
        UpdateResult result = await Store.UpdateAsync(info.Key, info.Version, info.Record with { State = state }, Token);
        Assert.Equal(ChangeStatus.Done, result.Status);
        return Assert.IsType<UploadInfo>(result.Info);
    }

    protected Task<byte[]> ContentAsync(UploadKey? key = null) => ContentAsync(Store, key ?? Key);

    protected static async Task<byte[]> ContentAsync(IUploadStore store, UploadKey key)
    {
        Stream? stream = await store.OpenReadAsync(key, Token);
        await using (Assert.IsAssignableFrom<Stream>(stream))
        {
            using var copy = new MemoryStream();
            await stream!.CopyToAsync(copy, Token);
            return copy.ToArray();
        }
    }

    protected async Task<List<UploadKey>> ListAsync(UploadQuery? query = null)
    {
        List<UploadKey> keys = [];
        await foreach (UploadInfo info in Store.ListAsync(query ?? new UploadQuery(), Token))
        {
            keys.Add(info.Key);
        }

        return keys;
    }

    /// <summary>Runs something many times at once, and gives all the answers.</summary>
    protected static async Task<T[]> AtOnceAsync<T>(int count, Func<int, Task<T>> run)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<T>[] tasks = [.. Enumerable.Range(0, count).Select(i => Task.Run(
            async () =>
            {
                await start.Task;
                return await run(i);
            },
            Token))];
        start.SetResult();
        return await Task.WhenAll(tasks).WaitAsync(Patience, Token);
    }
}

using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <summary>
/// The laws of <see cref="IUploadStore"/>. A case needs empty storage and a clock, and knows nothing of how the store works. Each public
/// method with <see cref="CaseAttribute"/> is one.
/// </summary>
internal sealed partial class StoreCases : IAsyncDisposable
{
    /// <summary>How long a case waits for what should come at once. Reached only when it fails.</summary>
    private static readonly TimeSpan CaseTimeout = TimeSpan.FromSeconds(30);

    private static readonly UploadKey Key = new("owner", "upload");

    private readonly StoreFixture _fixture;
    private IUploadStore? _store;

    private StoreCases(StoreFixture storage, CancellationToken token)
    {
        _fixture = storage;
        Token = token;
    }

    /// <summary>The store under test, empty at the beginning.</summary>
    private IUploadStore Store => _store!;

    /// <summary>The clock that the store was given.</summary>
    private FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));

    /// <summary>What ends a case from outside.</summary>
    private CancellationToken Token { get; }

    public static async Task<StoreCases> OpenAsync(StoreFixture storage, CancellationToken token)
    {
        var cases = new StoreCases(storage, token);
        cases._store = await cases.OpenStoreAsync();
        return cases;
    }

    public ValueTask DisposeAsync() => CloseAsync(_store);

    /// <summary>Opens another store on the same storage.</summary>
    private ValueTask<IUploadStore> OpenStoreAsync() => _fixture.OpenStoreAsync(Time, Token);

    /// <summary>Disposes a store, if it is made to be disposed.</summary>
    private static async ValueTask CloseAsync(IUploadStore? store)
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
    private static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Two pieces as one.</summary>
    private static byte[] Concatenate(byte[] first, byte[] second) => [.. first, .. second];

    private async Task<UploadInfo> CreateAsync(UploadKey? key = null, UploadRecord? record = null)
    {
        CreateResult result = await Store.CreateAsync(key ?? Key, record ?? new UploadRecord(), Token);
        CaseAssert.Equal(CreateStatus.Created, result.Status);
        return CaseAssert.RequireNotNull(result.Info);
    }

    private async Task<UploadInfo> GetAsync(UploadKey? key = null) =>
        CaseAssert.RequireNotNull(await Store.GetAsync(key ?? Key, Token));

    /// <summary>Starts an append that stays on the thread pool, whatever the store does.</summary>
    private Task<AppendResult> StartAppend(
        long offset, UploadContent content, UploadKey? key = null, AppendMode mode = AppendMode.KeepPartial) =>
        Task.Run(async () => await Store.AppendAsync(key ?? Key, offset, content, mode, Token), Token);

    private Task<AppendResult> AppendAsync(long offset, ReadOnlySpan<byte> bytes, UploadKey? key = null) =>
        StartAppend(offset, RecordingContent.FromBytes(bytes), key).WaitAsync(CaseTimeout, Token);

    /// <summary>Makes an upload with a content.</summary>
    private async Task<UploadInfo> CreateWithContentAsync(byte[] bytes, UploadKey? key = null)
    {
        await CreateAsync(key);
        CaseAssert.Equal(AppendStatus.Appended, (await AppendAsync(0, bytes, key)).Status);
        return await GetAsync(key);
    }

    /// <summary>Brings an upload into another state.</summary>
    private async Task<UploadInfo> UpdateStateAsync(UploadState state, UploadKey? key = null)
    {
        UploadInfo info = await GetAsync(key);
        UpdateResult result = await Store.UpdateAsync(info.Key, info.Version, info.Record with { State = state }, Token);
        CaseAssert.Equal(ChangeStatus.Succeeded, result.Status);
        return CaseAssert.RequireNotNull(result.Info);
    }

    private Task<byte[]> ReadContentAsync(UploadKey? key = null) => ReadContentAsync(Store, key ?? Key);

    private async Task<byte[]> ReadContentAsync(IUploadStore store, UploadKey key)
    {
        Stream? stream = await store.OpenReadAsync(key, Token);
        await using (CaseAssert.RequireNotNull(stream))
        {
            using var copy = new MemoryStream();
            await stream!.CopyToAsync(copy, Token);
            return copy.ToArray();
        }
    }

    private async Task<List<UploadKey>> ListAsync(UploadQuery? query = null)
    {
        List<UploadKey> keys = [];
        await foreach (UploadInfo info in Store.ListAsync(query ?? new UploadQuery(), Token))
        {
            keys.Add(info.Key);
        }

        return keys;
    }

    /// <summary>Runs something many times at once, and gives all the answers.</summary>
    private async Task<T[]> RunConcurrentlyAsync<T>(int count, Func<int, Task<T>> run)
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
        return await Task.WhenAll(tasks).WaitAsync(CaseTimeout, Token);
    }
}

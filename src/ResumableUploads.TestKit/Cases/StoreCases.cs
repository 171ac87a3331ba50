using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <summary>
/// The cases: each public method with <see cref="CaseAttribute"/>. A case uses only <see cref="IUploadStore"/>, on storage that is empty at first.
/// </summary>
internal sealed partial class StoreCases : IAsyncDisposable
{
    private static readonly UploadKey Key = new("owner", "upload");

    private readonly StoreFixture _fixture;
    private IUploadStore? _store;

    private StoreCases(StoreFixture fixture, CancellationToken token)
    {
        _fixture = fixture;
        Token = token;
    }

    private IUploadStore Store => _store!;

    private FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));

    private CancellationToken Token { get; }

    public static async Task<StoreCases> OpenAsync(StoreFixture fixture, CancellationToken token)
    {
        var cases = new StoreCases(fixture, token);
        cases._store = await cases.OpenStoreAsync();
        return cases;
    }

    public ValueTask DisposeAsync() => DisposeStoreAsync(_store);

    /// <summary>Gets the timeout of a single wait. It is reached only if the case fails.</summary>
    private TimeSpan CaseTimeout => _fixture.Timeout;

    private int BlockSize => _fixture.BlockSize;

    /// <summary>Gets the time of the clock that the store uses, which is not exact if the store has a clock of its own.</summary>
    private DateTimeOffset Now => _fixture.HasOwnClock ? TimeProvider.System.GetUtcNow() : Time.GetUtcNow();

    /// <summary>Opens another store on the same storage.</summary>
    private ValueTask<IUploadStore> OpenStoreAsync() => _fixture.OpenStoreAsync(Time, Token);

    private static async ValueTask DisposeStoreAsync(IUploadStore? store)
    {
        if (store is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
        else
        {
            (store as IDisposable)?.Dispose();
        }
    }

    /// <summary>Returns pseudorandom bytes.</summary>
    private static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private void AssertIsNow(DateTimeOffset time) => CaseAssert.Equal(Now, time, _fixture.HasOwnClock ? TimeSpan.FromMinutes(30) : TimeSpan.FromSeconds(1));

    private static byte[] Concatenate(byte[] first, byte[] second) => [.. first, .. second];

    private async Task<UploadInfo> CreateAsync(UploadKey? key = null, UploadRecord? record = null)
    {
        CreateResult result = await Store.CreateAsync(key ?? Key, record ?? new UploadRecord(), Token);
        CaseAssert.Equal(CreateStatus.Created, result.Status);
        return CaseAssert.RequireNotNull(result.Info);
    }

    private async Task<UploadInfo> GetAsync(UploadKey? key = null) =>
        CaseAssert.RequireNotNull(await Store.GetAsync(key ?? Key, Token));

    /// <summary>Starts an append on the thread pool, so that a store that blocks does not block the case.</summary>
    private Task<AppendResult> StartAppend(
        long offset, UploadContent content, UploadKey? key = null, AppendMode mode = AppendMode.KeepPartial) =>
        Task.Run(async () => await Store.AppendAsync(key ?? Key, offset, content, mode, Token), Token);

    private Task<AppendResult> AppendAsync(long offset, ReadOnlySpan<byte> bytes, UploadKey? key = null) =>
        StartAppend(offset, RecordingContent.FromBytes(bytes), key).WaitAsync(CaseTimeout, Token);

    private async Task<UploadInfo> CreateWithContentAsync(byte[] bytes, UploadKey? key = null)
    {
        await CreateAsync(key);
        CaseAssert.Equal(AppendStatus.Appended, (await AppendAsync(0, bytes, key)).Status);
        return await GetAsync(key);
    }

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

    /// <summary>Runs a delegate several times concurrently and returns all results.</summary>
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

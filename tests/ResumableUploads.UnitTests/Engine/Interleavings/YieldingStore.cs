using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>A memory store in which other continuations can run before and after every call. Tests derive from it to plant a race.</summary>
internal class YieldingStore(TimeProvider clock) : DelegatingUploadStore(new MemoryUploadStore(1 << 20, clock))
{
    private int _running;

    /// <summary>Gets whether a call has begun and not ended, apart from the one that asks.</summary>
    protected bool IsOtherCallRunning => _running > 1;

    public override ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        YieldAsync(() => base.CreateAsync(key, record, cancellationToken));

    public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        YieldAsync(() => base.GetAsync(key, cancellationToken));

    public override ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        YieldAsync(() => base.AppendAsync(key, offset, content, mode, cancellationToken));

    public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        YieldAsync(() => UpdateNowAsync(key, version, record));

    public override ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
        YieldAsync(() => base.OpenReadAsync(key, cancellationToken));

    public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        YieldAsync(() => base.DeleteAsync(key, version, cancellationToken));

    public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        await foreach (UploadInfo info in base.ListAsync(query, cancellationToken))
        {
            yield return info;
            await Task.Yield();
        }
    }

    public override ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        YieldAsync(() => base.CompleteAsync(key, version, record, response, cancellationToken));

    public override ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        YieldAsync(() => base.GetResponseAsync(key, cancellationToken));

    /// <summary>Updates an upload at one moment, after other continuations had the opportunity to change it.</summary>
    protected virtual ValueTask<UpdateResult> UpdateNowAsync(UploadKey key, string version, UploadRecord record) =>
        InnerStore.UpdateAsync(key, version, record, CancellationToken.None);

    /// <summary>Reads an upload and its content without yielding, to check it.</summary>
    public async Task<(UploadInfo? Info, byte[] Content)> PeekAsync(UploadKey key)
    {
        UploadInfo? info = await InnerStore.GetAsync(key, CancellationToken.None);
        await using Stream? stream = info is null ? null : await InnerStore.OpenReadAsync(key, CancellationToken.None);
        using var content = new MemoryStream();
        if (stream is not null)
        {
            await stream.CopyToAsync(content);
        }

        return (info, content.ToArray());
    }

    private async ValueTask<T> YieldAsync<T>(Func<ValueTask<T>> call)
    {
        _running++;
        try
        {
            await Task.Yield();
            T result = await call();
            await Task.Yield();
            return result;
        }
        finally
        {
            _running--;
        }
    }
}

using System.Buffers;
using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Reliability;

/// <summary>
/// A store whose methods throw <see cref="OperationCanceledException"/> only if the caller's token is canceled. A cancellation of the store's own, such
/// as the timeout of a client library, becomes an <see cref="UploadStoreException"/>, so that it is never mistaken for a stop of the server.
/// </summary>
internal sealed class CancellationGuardStore : DelegatingUploadStore
{
    private readonly GuardedSingleRequestStore? _singleRequestStore;
    private readonly GuardedReplacingStore? _replacingStore;
    private readonly GuardedContentMover? _contentMover;
    private readonly GuardedDeferredSyncStore? _deferredSyncStore;
    private readonly GuardedTakeoverStore? _takeoverStore;

    private CancellationGuardStore(IUploadStore innerStore) : base(innerStore)
    {
        _singleRequestStore = innerStore.GetCapability<ISingleRequestStore>() is { } singleRequestStore ? new GuardedSingleRequestStore(singleRequestStore) : null;
        _replacingStore = innerStore.GetCapability<IReplacingStore>() is { } replacingStore ? new GuardedReplacingStore(replacingStore) : null;
        _contentMover = innerStore.GetCapability<IContentMover>() is { } contentMover ? new GuardedContentMover(contentMover) : null;
        _deferredSyncStore = innerStore.GetCapability<IDeferredSyncStore>() is { } deferredSyncStore ? new GuardedDeferredSyncStore(deferredSyncStore) : null;
        _takeoverStore = innerStore.GetCapability<ITakeoverStore>() is { } takeoverStore ? new GuardedTakeoverStore(takeoverStore) : null;
    }

    /// <summary>Wraps a store, unless it is wrapped already.</summary>
    public static IUploadStore Wrap(IUploadStore store) => store as CancellationGuardStore ?? new CancellationGuardStore(store);

    public override ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        GuardAsync((InnerStore, key, record), static (s, token) => s.InnerStore.CreateAsync(s.key, s.record, token), cancellationToken);

    public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        GuardAsync((InnerStore, key), static (s, token) => s.InnerStore.GetAsync(s.key, token), cancellationToken);

    public override ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        GuardAsync(
            (InnerStore, key, offset, content, mode),
            static (s, token) => s.InnerStore.AppendAsync(s.key, s.offset, s.content, s.mode, token),
            cancellationToken);

    public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        GuardAsync(
            (InnerStore, key, version, record), static (s, token) => s.InnerStore.UpdateAsync(s.key, s.version, s.record, token), cancellationToken);

    public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
        await GuardAsync((InnerStore, key), static (s, token) => s.InnerStore.OpenReadAsync(s.key, token), cancellationToken) is { } content
            ? new GuardedContentStream(content)
            : null;

    public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        GuardAsync((InnerStore, key, version), static (s, token) => s.InnerStore.DeleteAsync(s.key, s.version, token), cancellationToken);

    public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IAsyncEnumerator<UploadInfo> uploads = await GuardAsync(
            (InnerStore, query),
            static (s, token) => ValueTask.FromResult(s.InnerStore.ListAsync(s.query, token).GetAsyncEnumerator(token)),
            cancellationToken);
        await using (uploads)
        {
            while (await GuardAsync(uploads, static (s, _) => s.MoveNextAsync(), cancellationToken))
            {
                yield return uploads.Current;
            }
        }
    }

    public override async ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        await GuardAsync(
            (InnerStore, key, response),
            static async (s, token) =>
            {
                await s.InnerStore.PutResponseAsync(s.key, s.response, token);
                return true;
            },
            cancellationToken);

    public override ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        GuardAsync((InnerStore, key), static (s, token) => s.InnerStore.GetResponseAsync(s.key, token), cancellationToken);

    public override T? GetCapability<T>() where T : class =>
        typeof(T) == typeof(ISingleRequestStore) ? _singleRequestStore as T
        : typeof(T) == typeof(IReplacingStore) ? _replacingStore as T
        : typeof(T) == typeof(IContentMover) ? _contentMover as T
        : typeof(T) == typeof(IDeferredSyncStore) ? _deferredSyncStore as T
        : typeof(T) == typeof(ITakeoverStore) ? _takeoverStore as T
        : InnerStore.GetCapability<T>();

    private static async ValueTask<T> GuardAsync<TState, T>(TState state, Func<TState, CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call(state, cancellationToken);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UploadStoreException(StoreFailure.Unavailable, "The store canceled an operation by itself, probably after a timeout of its own.", null, e);
        }
    }

    private sealed class GuardedSingleRequestStore(ISingleRequestStore inner) : ISingleRequestStore
    {
        public long MaxCompletedLength => inner.MaxCompletedLength;

        public ValueTask<CreateResult> CreateCompletedAsync(
            UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
            GuardAsync(
                (inner, key, record, content),
                static (s, token) => s.inner.CreateCompletedAsync(s.key, s.record, s.content, token),
                cancellationToken);
    }

    private sealed class GuardedReplacingStore(IReplacingStore inner) : IReplacingStore
    {
        public ValueTask<UpdateResult> ReplaceAsync(
            UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken) =>
            GuardAsync(
                (inner, key, version, replacementKey, replacementVersion),
                static (s, token) => s.inner.ReplaceAsync(s.key, s.version, s.replacementKey, s.replacementVersion, token),
                cancellationToken);
    }

    private sealed class GuardedContentMover(IContentMover inner) : IContentMover
    {
        public ValueTask<MoveResult> MoveContentAsync(UploadKey key, string version, string path, bool overwrite, CancellationToken cancellationToken) =>
            GuardAsync(
                (inner, key, version, path, overwrite),
                static (s, token) => s.inner.MoveContentAsync(s.key, s.version, s.path, s.overwrite, token),
                cancellationToken);
    }

    private sealed class GuardedTakeoverStore(ITakeoverStore inner) : ITakeoverStore
    {
        public Task ListenAsync(CancellationToken cancellationToken) => inner.ListenAsync(cancellationToken);

        public ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken) =>
            GuardAsync((inner, key, timeout), static (s, token) => s.inner.TakeOverAsync(s.key, s.timeout, token), cancellationToken);
    }

    private sealed class GuardedDeferredSyncStore(IDeferredSyncStore inner) : IDeferredSyncStore
    {
        public ValueTask<UploadInfo?> GetUnsyncedAsync(UploadKey key, CancellationToken cancellationToken) =>
            GuardAsync((inner, key), static (s, token) => s.inner.GetUnsyncedAsync(s.key, token), cancellationToken);

        public ValueTask<UpdateResult> UpdateDeferredAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
            GuardAsync((inner, key, version, record), static (s, token) => s.inner.UpdateDeferredAsync(s.key, s.version, s.record, token), cancellationToken);

        public ValueTask<CreateResult> CreateCompletedDeferredAsync(
            UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
            GuardAsync(
                (inner, key, record, content),
                static (s, token) => s.inner.CreateCompletedDeferredAsync(s.key, s.record, s.content, token),
                cancellationToken);

        public ValueTask<UpdateResult> CompleteAsync(
            UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
            GuardAsync(
                (inner, key, version, record, response),
                static (s, token) => s.inner.CompleteAsync(s.key, s.version, s.record, s.response, token),
                cancellationToken);
    }
}

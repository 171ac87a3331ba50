using System.Buffers;
using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;

namespace ResumableUploads.Engine.Reliability;

/// <summary>
/// A store whose methods throw <see cref="OperationCanceledException"/> only if the caller's token is canceled. A cancellation of the store's own, such
/// as the timeout of a client library, becomes an <see cref="UploadStoreException"/>, so that it is never mistaken for a stop of the server.
/// </summary>
internal sealed class CancellationGuardStore : DelegatingUploadStore
{
    private readonly UploadMetrics? _metrics;
    private readonly GuardedSingleRequestStore? _singleRequestStore;
    private readonly GuardedReplacingStore? _replacingStore;
    private readonly GuardedContentMover? _contentMover;
    private readonly GuardedContentCopier? _contentCopier;
    private readonly GuardedContentUrlProvider? _contentUrlProvider;
    private readonly GuardedDeferredSyncStore? _deferredSyncStore;
    private readonly GuardedTakeoverStore? _takeoverStore;

    private CancellationGuardStore(IUploadStore innerStore, UploadMetrics? metrics) : base(innerStore)
    {
        _metrics = metrics;
        _singleRequestStore = innerStore.GetCapability<ISingleRequestStore>() is { } singleRequestStore ? new GuardedSingleRequestStore(singleRequestStore, metrics) : null;
        _replacingStore = innerStore.GetCapability<IReplacingStore>() is { } replacingStore ? new GuardedReplacingStore(replacingStore, metrics) : null;
        _contentMover = innerStore.GetCapability<IContentMover>() is { } contentMover ? new GuardedContentMover(contentMover, metrics) : null;
        _contentCopier = innerStore.GetCapability<IContentCopier>() is { } contentCopier ? new GuardedContentCopier(contentCopier, metrics) : null;
        _contentUrlProvider = innerStore.GetCapability<IContentUrlProvider>() is { } urlProvider ? new GuardedContentUrlProvider(urlProvider, metrics) : null;
        _deferredSyncStore = innerStore.GetCapability<IDeferredSyncStore>() is { } deferredSyncStore ? new GuardedDeferredSyncStore(deferredSyncStore, metrics) : null;
        _takeoverStore = innerStore.GetCapability<ITakeoverStore>() is { } takeoverStore ? new GuardedTakeoverStore(takeoverStore, metrics) : null;
    }

    /// <summary>Wraps a store, unless it is wrapped already.</summary>
    /// <param name="store">The store.</param>
    /// <param name="metrics">The metrics that record the durations of operations, or null for none.</param>
    public static IUploadStore Wrap(IUploadStore store, UploadMetrics? metrics = null) =>
        store as CancellationGuardStore ?? new CancellationGuardStore(store, metrics);

    public override ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        GuardAsync(new(_metrics, "create"), (InnerStore, key, record), static (s, token) => s.InnerStore.CreateAsync(s.key, s.record, token), cancellationToken);

    public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        GuardAsync(new(_metrics, "get"), (InnerStore, key), static (s, token) => s.InnerStore.GetAsync(s.key, token), cancellationToken);

    public override ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken) =>
        GuardAsync(
            new(_metrics, "append"),
            (InnerStore, key, offset, content, mode),
            static (s, token) => s.InnerStore.AppendAsync(s.key, s.offset, s.content, s.mode, token),
            cancellationToken);

    public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        GuardAsync(
            new(_metrics, "update"),
            (InnerStore, key, version, record), static (s, token) => s.InnerStore.UpdateAsync(s.key, s.version, s.record, token), cancellationToken);

    public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
        await GuardAsync(new(_metrics, "open_read"), (InnerStore, key), static (s, token) => s.InnerStore.OpenReadAsync(s.key, token), cancellationToken) is { } content
            ? new GuardedContentStream(content)
            : null;

    public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        GuardAsync(new(_metrics, "delete"), (InnerStore, key, version), static (s, token) => s.InnerStore.DeleteAsync(s.key, s.version, token), cancellationToken);

    public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IAsyncEnumerator<UploadInfo> uploads = await GuardAsync(
            new(null, "list"),
            (InnerStore, query),
            static (s, token) => ValueTask.FromResult(s.InnerStore.ListAsync(s.query, token).GetAsyncEnumerator(token)),
            cancellationToken);
        await using (uploads)
        {
            while (await GuardAsync(new(null, "list"), uploads, static (s, _) => s.MoveNextAsync(), cancellationToken))
            {
                yield return uploads.Current;
            }
        }
    }

    public override ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        GuardAsync(
            new(_metrics, "complete"),
            (InnerStore, key, version, record, response),
            static (s, token) => s.InnerStore.CompleteAsync(s.key, s.version, s.record, s.response, token),
            cancellationToken);

    public override ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        GuardAsync(new(_metrics, "get_response"), (InnerStore, key), static (s, token) => s.InnerStore.GetResponseAsync(s.key, token), cancellationToken);

    public override T? GetCapability<T>() where T : class =>
        typeof(T) == typeof(ISingleRequestStore) ? _singleRequestStore as T
        : typeof(T) == typeof(IReplacingStore) ? _replacingStore as T
        : typeof(T) == typeof(IContentMover) ? _contentMover as T
        : typeof(T) == typeof(IContentCopier) ? _contentCopier as T
        : typeof(T) == typeof(IContentUrlProvider) ? _contentUrlProvider as T
        : typeof(T) == typeof(IDeferredSyncStore) ? _deferredSyncStore as T
        : typeof(T) == typeof(ITakeoverStore) ? _takeoverStore as T
        : InnerStore.GetCapability<T>();

    private static async ValueTask<T> GuardAsync<TState, T>(
        StoreOperation operation, TState state, Func<TState, CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        long? start = operation.Start();
        try
        {
            T result = await call(state, cancellationToken);
            operation.End(start, failure: null);
            return result;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            operation.End(start, StoreFailure.Unavailable);
            throw new UploadStoreException(StoreFailure.Unavailable, "The store canceled an operation by itself, probably after a timeout of its own.", null, e);
        }
        catch (UploadStoreException e) when (start is not null)
        {
            operation.End(start, e.Failure);
            throw;
        }
    }

    private sealed class GuardedSingleRequestStore(ISingleRequestStore inner, UploadMetrics? metrics) : ISingleRequestStore
    {
        public long MaxCompletedLength => inner.MaxCompletedLength;

        public ValueTask<CreateResult> CreateCompletedAsync(
            UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
            GuardAsync(
                new(metrics, "create_completed"),
                (inner, key, record, content),
                static (s, token) => s.inner.CreateCompletedAsync(s.key, s.record, s.content, token),
                cancellationToken);
    }

    private sealed class GuardedReplacingStore(IReplacingStore inner, UploadMetrics? metrics) : IReplacingStore
    {
        public ValueTask<UpdateResult> ReplaceAsync(
            UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken) =>
            GuardAsync(
                new(metrics, "replace"),
                (inner, key, version, replacementKey, replacementVersion),
                static (s, token) => s.inner.ReplaceAsync(s.key, s.version, s.replacementKey, s.replacementVersion, token),
                cancellationToken);
    }

    private sealed class GuardedContentMover(IContentMover inner, UploadMetrics? metrics) : IContentMover
    {
        public ValueTask<MoveResult> MoveContentAsync(UploadKey key, string version, string path, bool overwrite, CancellationToken cancellationToken) =>
            GuardAsync(
                new(metrics, "move"),
                (inner, key, version, path, overwrite),
                static (s, token) => s.inner.MoveContentAsync(s.key, s.version, s.path, s.overwrite, token),
                cancellationToken);
    }

    private sealed class GuardedContentCopier(IContentCopier inner, UploadMetrics? metrics) : IContentCopier
    {
        public ValueTask<CopyStatus> CopyContentAsync(
            UploadKey key, string version, string container, string name, bool overwrite, CancellationToken cancellationToken) =>
            GuardAsync(
                new(metrics, "copy"),
                (inner, key, version, container, name, overwrite),
                static (s, token) => s.inner.CopyContentAsync(s.key, s.version, s.container, s.name, s.overwrite, token),
                cancellationToken);
    }

    private sealed class GuardedContentUrlProvider(IContentUrlProvider inner, UploadMetrics? metrics) : IContentUrlProvider
    {
        public ValueTask<Uri?> CreateReadUrlAsync(UploadKey key, string version, TimeSpan lifetime, CancellationToken cancellationToken) =>
            GuardAsync(
                new(metrics, "create_url"),
                (inner, key, version, lifetime),
                static (s, token) => s.inner.CreateReadUrlAsync(s.key, s.version, s.lifetime, token),
                cancellationToken);
    }

    private sealed class GuardedTakeoverStore(ITakeoverStore inner, UploadMetrics? metrics) : ITakeoverStore
    {
        public Task ListenAsync(CancellationToken cancellationToken) => inner.ListenAsync(cancellationToken);

        public ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken) =>
            GuardAsync(new(metrics, "take_over"), (inner, key, timeout), static (s, token) => s.inner.TakeOverAsync(s.key, s.timeout, token), cancellationToken);
    }

    private sealed class GuardedDeferredSyncStore(IDeferredSyncStore inner, UploadMetrics? metrics) : IDeferredSyncStore
    {
        public ValueTask<UploadInfo?> GetUnsyncedAsync(UploadKey key, CancellationToken cancellationToken) =>
            GuardAsync(new(metrics, "get"), (inner, key), static (s, token) => s.inner.GetUnsyncedAsync(s.key, token), cancellationToken);

        public ValueTask<UpdateResult> UpdateDeferredAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
            GuardAsync(new(metrics, "update"), (inner, key, version, record), static (s, token) => s.inner.UpdateDeferredAsync(s.key, s.version, s.record, token), cancellationToken);

        public ValueTask<CreateResult> CreateCompletedDeferredAsync(
            UploadKey key, UploadRecord record, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
            GuardAsync(
                new(metrics, "create_completed"),
                (inner, key, record, content),
                static (s, token) => s.inner.CreateCompletedDeferredAsync(s.key, s.record, s.content, token),
                cancellationToken);
    }
}

using System.Buffers;
using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>
/// Stores uploads in the memory of the process, up to a limit. For tests, and for small uploads that need not survive a restart: in this store, durable
/// means held in memory.
/// </summary>
/// <remarks>
/// Content is kept in pooled blocks of 4 to 64 KiB. The memory of a deleted upload is released when the last stream that reads it is disposed. If the
/// limit is reached, an append keeps the bytes that fit, and throws <see cref="UploadStoreException"/> with <see cref="StoreFailure.Full"/>. A creation, an
/// update or a response that does not fit throws the same exception and changes nothing. Disposing the store removes all uploads; later calls throw
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class MemoryUploadStore : IUploadStore, IStagedAppendStore, IReplacingStore, IDisposable
{
    /// <summary>The default limit, in bytes, of a store: 268,435,456 (256 MiB).</summary>
    public const long DefaultMaxTotalSize = 256L * 1024 * 1024;

    private const int MaxResponseLength = 1024 * 1024;

    private readonly UploadTable _uploads = new();
    private readonly MemoryBudget _budget;
    private readonly TimeProvider _time;
    private readonly ArrayPool<byte> _pool;
    private readonly Action<MemoryUpload> _removeFromTable;

    // A replacement locks two uploads. One at a time, so that two of them cannot wait for each other.
    private readonly Lock _replaceLock = new();
    private volatile bool _disposed;

    /// <summary>Initializes a new instance of the <see cref="MemoryUploadStore"/> class without uploads.</summary>
    /// <param name="maxTotalSize">
    /// The maximum size, in bytes, of all uploads together: blocks, record data, responses, and 1 KiB for each upload. 1/32 of it is reserved for the records
    /// and responses of existing uploads, so that they can be completed while the store is full. The default is <see cref="DefaultMaxTotalSize"/>.
    /// </param>
    /// <param name="timeProvider">The clock for <see cref="UploadInfo.LastModified"/>, or <see langword="null"/> for the system clock.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxTotalSize"/> is zero or less.</exception>
    public MemoryUploadStore(long maxTotalSize = DefaultMaxTotalSize, TimeProvider? timeProvider = null)
        : this(maxTotalSize, timeProvider, ArrayPool<byte>.Shared)
    {
    }

    internal MemoryUploadStore(long maxTotalSize, TimeProvider? timeProvider, ArrayPool<byte> pool)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTotalSize);
        _budget = new MemoryBudget(maxTotalSize);
        _time = timeProvider ?? TimeProvider.System;
        _pool = pool;
        _removeFromTable = _uploads.Remove;
    }

    /// <summary>Gets the part of the limit that content may use, in bytes: 31/32 of it. Other uploads may use some of it already.</summary>
    public long MaxStagedLength => _budget.ContentLimit;

    /// <summary>Gets the number of bytes that count against the limit.</summary>
    internal long UsedSize => _budget.Used;

    /// <inheritdoc/>
    public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        ThrowIfDisposedOrCanceled(cancellationToken);
        ValidateRecord(record);

        // Throws for default(UploadKey), which would break every listing.
        _ = key.Owner;
        if (record.State != UploadState.Receiving)
        {
            throw new ArgumentException("The state of a new upload must be Receiving.", nameof(record));
        }

        if (Find(key) is not null)
        {
            return ValueTask.FromResult(new CreateResult(CreateStatus.AlreadyExists, null));
        }

        // Reserved from the content budget, because new uploads must not use the memory that existing uploads need to complete.
        if (!_budget.TryReserveForContent(MemoryUpload.GetCost(record)))
        {
            throw new UploadStoreException(StoreFailure.Full, "The memory store is full.");
        }

        var upload = new MemoryUpload(key, record, _budget, _pool, _time);

        // Read before other calls can change the upload.
        UploadInfo? created = upload.GetInfo();
        if (!_uploads.TryAdd(upload))
        {
            upload.Remove(null, _removeFromTable);
            return ValueTask.FromResult(new CreateResult(CreateStatus.AlreadyExists, null));
        }

        if (_disposed)
        {
            upload.Remove(null, _removeFromTable);
            ObjectDisposedException.ThrowIf(_disposed, this);
        }

        return ValueTask.FromResult(new CreateResult(CreateStatus.Created, created));
    }

    /// <inheritdoc/>
    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
    {
        ThrowIfDisposedOrCanceled(cancellationToken);
        return ValueTask.FromResult(Find(key)?.GetInfo());
    }

    /// <inheritdoc/>
    public ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ThrowIfDisposedOrCanceled(cancellationToken);
        if (Find(key) is not { } upload)
        {
            return ValueTask.FromResult(new AppendResult(AppendStatus.NotFound, 0, null));
        }

        return upload.BeginAppend(offset, content) is { } refused
            ? ValueTask.FromResult(refused)
            : MemoryAppendOperation.RunAsync(upload, content, mode, _pool, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ThrowIfDisposedOrCanceled(cancellationToken);
        ValidateRecord(record);
        return ValueTask.FromResult(Find(key)?.Update(version, record) ?? new UpdateResult(ChangeStatus.NotFound, null));
    }

    /// <inheritdoc/>
    /// <remarks>The stream stays valid if the upload is deleted. Its bytes count against the limit until it is disposed.</remarks>
    public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        ThrowIfDisposedOrCanceled(cancellationToken);
        return ValueTask.FromResult(Find(key)?.OpenRead());
    }

    /// <inheritdoc/>
    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken)
    {
        ThrowIfDisposedOrCanceled(cancellationToken);
        return ValueTask.FromResult(new DeleteResult(Find(key)?.Remove(version, _removeFromTable) ?? ChangeStatus.NotFound));
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> ReplaceAsync(
        UploadKey key, string version, UploadKey replacementKey, string replacementVersion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(replacementVersion);
        ThrowIfDisposedOrCanceled(cancellationToken);
        if (key == replacementKey)
        {
            throw new ArgumentException("An upload cannot replace itself.", nameof(replacementKey));
        }

        if (Find(key) is not { } upload || Find(replacementKey) is not { } replacement)
        {
            return ValueTask.FromResult(new UpdateResult(ChangeStatus.NotFound, null));
        }

        lock (_replaceLock)
        {
            return ValueTask.FromResult(upload.ReplaceBy(replacement, version, replacementVersion, _removeFromTable));
        }
    }

    /// <inheritdoc/>
    /// <remarks>The uploads are ordered by owner and then by id, both ordinally. The listing copies some keys at a time, and reads the uploads one by one.</remarks>
    public async IAsyncEnumerable<UploadInfo> ListAsync(
        UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ThrowIfDisposedOrCanceled(cancellationToken);
        foreach (UploadKey key in _uploads.GetKeys(query.Owner, query.StartAfter))
        {
            ThrowIfDisposedOrCanceled(cancellationToken);
            if (Find(key)?.GetInfo() is { } info && (query.ExpiredAsOf is not { } time || info.Expires <= time))
            {
                yield return info;
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ThrowIfDisposedOrCanceled(cancellationToken);
        ValidateRecord(record);
        if (record.State != UploadState.Completed)
        {
            throw new ArgumentException("The state of an upload with a response must be Completed.", nameof(record));
        }

        if (response.Length > MaxResponseLength)
        {
            throw new ArgumentException("A response must have at most 1 MiB.", nameof(response));
        }

        return ValueTask.FromResult(Find(key)?.Update(version, record, response.ToArray()) ?? new UpdateResult(ChangeStatus.NotFound, null));
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken)
    {
        ThrowIfDisposedOrCanceled(cancellationToken);
        byte[]? response = Find(key)?.GetResponse();
        return ValueTask.FromResult(response is null ? null : (ReadOnlyMemory<byte>?)response);
    }

    /// <summary>Removes all uploads. Running appends return <see cref="AppendStatus.NotFound"/>.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (MemoryUpload upload in _uploads.All)
        {
            upload.Remove(null, _removeFromTable);
        }
    }

    private static void ValidateRecord(UploadRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Data.Length > UploadRecord.MaxDataLength)
        {
            throw new ArgumentException($"The data of a record must have at most {UploadRecord.MaxDataLength} bytes.", nameof(record));
        }
    }

    private void ThrowIfDisposedOrCanceled(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private MemoryUpload? Find(UploadKey key) => _uploads.Find(key);
}

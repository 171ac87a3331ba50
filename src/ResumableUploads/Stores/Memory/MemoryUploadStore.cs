using System.Buffers;
using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>
/// Keeps uploads in the memory of this process, up to a cap: for tests, for small files, and where nothing has to survive a restart.
/// Nothing does: for this store, durable means held in memory.
/// </summary>
/// <remarks>
/// Contents lie in pooled blocks of 4 to 64 KiB, which grow with the upload. The memory of a deleted upload is given back when the last stream that
/// reads it is disposed. When the cap is reached, an append keeps what fits and throws <see cref="UploadStoreException"/> with
/// <see cref="StoreFailure.Full"/>; so does a record or an outcome for which there is no room, and then nothing is changed.
/// Disposing the store removes all uploads; a call after that throws <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class MemoryUploadStore : IUploadStore, IStagedAppendStore, IDisposable
{
    /// <summary>The cap when none is given: 268,435,456 bytes (256 MiB).</summary>
    public const long DefaultMaxTotalSize = 256L * 1024 * 1024;

    private const int MaxResponseLength = 1024 * 1024;

    private readonly UploadTable _uploads = new();
    private readonly MemoryBudget _budget;
    private readonly TimeProvider _time;
    private readonly ArrayPool<byte> _pool;
    private readonly Action<MemoryUpload> _removeFromTable;
    private volatile bool _disposed;

    /// <summary>Makes an empty store.</summary>
    /// <param name="maxTotalSize">
    /// The most bytes that all uploads hold together: blocks as they are rented, data, outcomes, and 1 KiB for each upload. A
    /// thirty-second part of it is left to the records and outcomes of uploads that are there, so that a full store can still finish them.
    /// Default: <see cref="DefaultMaxTotalSize"/>.
    /// </param>
    /// <param name="timeProvider">The clock for <see cref="UploadInfo.LastModified"/>. Default: the system's.</param>
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

    /// <summary>The part of the cap that contents may use: all of it but a thirty-second part. How much of that is free is not known beforehand.</summary>
    public long MaxStagedLength => _budget.ContentLimit;

    /// <summary>How many bytes count against the cap now.</summary>
    internal long UsedSize => _budget.Used;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The state is not <see cref="UploadState.Receiving"/>, or the data is too long.</exception>
    public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
    {
        ThrowIfDisposedOrCanceled(cancellationToken);
        ValidateRecord(record);

        // Throws for default(UploadKey), which would otherwise break every listing.
        _ = key.Owner;
        if (record.State != UploadState.Receiving)
        {
            throw new ArgumentException("A new upload is receiving.", nameof(record));
        }

        if (Find(key) is not null)
        {
            return ValueTask.FromResult(new CreateResult(CreateStatus.AlreadyExists, null));
        }

        // As much as content may use and no more: many new uploads must not take the room in which old ones are finished.
        if (!_budget.TryReserveForContent(MemoryUpload.GetCost(record)))
        {
            throw new UploadStoreException(StoreFailure.Full, "The memory store has reached its cap.");
        }

        var upload = new MemoryUpload(key, record, _budget, _pool, _time);

        // Read before others can see it: the answer is the upload as it was made.
        UploadInfo? made = upload.GetInfo();
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

        return ValueTask.FromResult(new CreateResult(CreateStatus.Created, made));
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

        return upload.BeginAppend(offset) is { } refusal
            ? ValueTask.FromResult(refusal)
            : MemoryAppendOperation.RunAsync(upload, content, mode, _pool, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The state goes back, or the data is too long.</exception>
    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        ThrowIfDisposedOrCanceled(cancellationToken);
        ValidateRecord(record);
        return ValueTask.FromResult(Find(key)?.Update(version, record) ?? new UpdateResult(ChangeStatus.NotFound, null));
    }

    /// <inheritdoc/>
    /// <remarks>The stream goes on to read the same bytes when the upload is deleted. Until it is disposed they count against the cap.</remarks>
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
    /// <remarks>The order is by owner, then by id, by the value of the characters. The keys are taken at the beginning, the uploads one by one.</remarks>
    public async IAsyncEnumerable<UploadInfo> ListAsync(
        UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ThrowIfDisposedOrCanceled(cancellationToken);
        foreach (UploadKey key in UploadKeyComparer.SelectKeys(_uploads.GetKeys(query.Owner), query))
        {
            ThrowIfDisposedOrCanceled(cancellationToken);
            if (Find(key)?.GetInfo() is { } info && (query.ExpiredAsOf is not { } time || info.Expires <= time))
            {
                yield return info;
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The outcome has more than 1 MiB.</exception>
    public ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        ThrowIfDisposedOrCanceled(cancellationToken);
        if (response.Length > MaxResponseLength)
        {
            throw new ArgumentException("An outcome has at most 1 MiB.", nameof(response));
        }

        Find(key)?.PutResponse(response.Span);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken)
    {
        ThrowIfDisposedOrCanceled(cancellationToken);
        byte[]? outcome = Find(key)?.GetResponse();
        return ValueTask.FromResult(outcome is null ? null : (ReadOnlyMemory<byte>?)outcome);
    }

    /// <summary>Removes all uploads. An append that is running ends in <see cref="AppendStatus.NotFound"/>.</summary>
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
            throw new ArgumentException("The data of a record has at most 65,536 bytes.", nameof(record));
        }
    }

    private void ThrowIfDisposedOrCanceled(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private MemoryUpload? Find(UploadKey key) => _uploads.Find(key);
}

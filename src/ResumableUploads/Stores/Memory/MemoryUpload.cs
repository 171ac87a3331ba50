using System.Buffers;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>One upload in memory, from its creation to its removal. Each method is one step under a lock that no await crosses.</summary>
internal sealed class MemoryUpload
{
    /// <summary>What an upload costs beside its data, its outcome and its blocks, in bytes: a generous guess.</summary>
    private const int OverheadSize = 1024;

    private readonly Lock _lock = new();
    private readonly string _nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
    private readonly MemoryBudget _budget;
    private readonly TimeProvider _time;
    private readonly BlockList _content;
    private UploadRecord _record;
    private byte[]? _response;
    private DateTimeOffset _lastModified;
    private long _generation;
    private long _offset;
    private bool _appending;
    private bool _removed;

    /// <summary>Makes an upload for which <see cref="GetCost"/> has been taken from the budget.</summary>
    public MemoryUpload(UploadKey key, UploadRecord record, MemoryBudget budget, ArrayPool<byte> pool, TimeProvider time)
    {
        Key = key;
        _record = CopyRecord(record);
        _budget = budget;
        _time = time;
        _content = new BlockList(budget, pool);
        _lastModified = time.GetUtcNow();
    }

    public UploadKey Key { get; }

    /// <summary>What an upload with this record is charged when it is made.</summary>
    public static long GetCost(UploadRecord record) => OverheadSize + record.Data.Length;

    /// <summary>The upload as it is now, or null when it has been removed.</summary>
    public UploadInfo? GetInfo()
    {
        lock (_lock)
        {
            return _removed ? null : ToUploadInfo();
        }
    }

    /// <summary>How many bytes count now, or null when the upload has been removed.</summary>
    public long? CurrentOffset()
    {
        lock (_lock)
        {
            return _removed ? null : _offset;
        }
    }

    public UpdateResult Update(string version, UploadRecord record)
    {
        lock (_lock)
        {
            ChangeStatus status = CheckVersion(version);
            if (status != ChangeStatus.Succeeded)
            {
                return new UpdateResult(status, null);
            }

            if (record.State < _record.State)
            {
                throw new ArgumentException($"The upload is {_record.State}; a state does not go back to {record.State}.", nameof(record));
            }

            ChargeBudget(record.Data.Length - _record.Data.Length);
            _record = CopyRecord(record);
            _generation++;
            _lastModified = _time.GetUtcNow();
            return new UpdateResult(ChangeStatus.Succeeded, ToUploadInfo());
        }
    }

    /// <summary>Removes the upload if the version is the present one or null. <paramref name="forget"/> runs in the same step.</summary>
    public ChangeStatus Remove(string? version, Action<MemoryUpload> forget)
    {
        lock (_lock)
        {
            ChangeStatus status = version is null && !_removed ? ChangeStatus.Succeeded : CheckVersion(version);
            if (status == ChangeStatus.Succeeded)
            {
                _removed = true;
                forget(this);
                _budget.Release(GetCost(_record) + (_response?.Length ?? 0));
                _response = null;
                _content.ReleaseReference();
            }

            return status;
        }
    }

    public void PutResponse(ReadOnlySpan<byte> outcome)
    {
        lock (_lock)
        {
            if (!_removed)
            {
                ChargeBudget(outcome.Length - (_response?.Length ?? 0));
                _response = outcome.ToArray();
            }
        }
    }

    public byte[]? GetResponse()
    {
        lock (_lock)
        {
            return _response;
        }
    }

    public Stream? OpenRead()
    {
        lock (_lock)
        {
            return _removed ? null : new BlockStream(_content, _offset);
        }
    }

    /// <summary>Marks the upload as being appended to, and answers null; or the refusal.</summary>
    public AppendResult? BeginAppend(long offset)
    {
        lock (_lock)
        {
            if (_removed)
            {
                return new AppendResult(AppendStatus.NotFound, 0, null);
            }

            if (_record.State != UploadState.Receiving)
            {
                return new AppendResult(AppendStatus.NotReceiving, _offset, Version);
            }

            if (_appending)
            {
                return new AppendResult(AppendStatus.Busy, _offset, null);
            }

            if (offset != _offset)
            {
                return new AppendResult(AppendStatus.OffsetMismatch, _offset, Version);
            }

            _appending = true;
            return null;
        }
    }

    /// <summary>A place for bytes that do not count yet; the caller releases it.</summary>
    public BlockList CreateStagingBlocks(ArrayPool<byte> pool) => new(_budget, pool);

    /// <summary>
    /// Adds bytes, of the append that has begun, and makes them count. Answers null when the upload has been removed. The copying is done outside of
    /// the lock: only the append that has begun writes, and the blocks are held meanwhile (not longer, so that a removal frees the memory
    /// although a client is silent).
    /// </summary>
    public (long Written, long Offset)? Write(in ReadOnlySequence<byte> bytes)
    {
        lock (_lock)
        {
            if (_removed)
            {
                return null;
            }

            _content.AddReference();
        }

        try
        {
            long written = _content.Write(bytes);
            lock (_lock)
            {
                return _removed ? null : (written, UpdateOffset());
            }
        }
        finally
        {
            _content.ReleaseReference();
        }
    }

    /// <summary>Makes staged bytes count, unless the upload has been removed.</summary>
    public void Commit(BlockList staged)
    {
        lock (_lock)
        {
            if (!_removed)
            {
                _content.MoveFrom(staged);
                UpdateOffset();
            }
        }
    }

    /// <summary>Ends the append that has begun, once. An upload that has been removed meanwhile answers <see cref="AppendStatus.NotFound"/>.</summary>
    public AppendResult EndAppend(AppendStatus status)
    {
        lock (_lock)
        {
            _appending = false;
            return _removed ? new AppendResult(AppendStatus.NotFound, 0, null) : new AppendResult(status, _offset, Version);
        }
    }

    private string Version => string.Create(null, $"{_nonce}-{_generation}-{_offset}");

    private static UploadRecord CopyRecord(UploadRecord record) => record with { Data = record.Data.ToArray() };

    private long UpdateOffset()
    {
        if (_offset != _content.Length)
        {
            _offset = _content.Length;
            _lastModified = _time.GetUtcNow();
        }

        return _offset;
    }

    private ChangeStatus CheckVersion(string? version) =>
        _removed ? ChangeStatus.NotFound
        : _appending ? ChangeStatus.Busy
        : version == Version ? ChangeStatus.Succeeded
        : ChangeStatus.VersionMismatch;

    private void ChargeBudget(long difference)
    {
        if (difference < 0)
        {
            _budget.Release(-difference);
        }
        else if (!_budget.TryReserveForRecord(difference))
        {
            throw new UploadStoreException(StoreFailure.Full, "The memory store has reached its cap.", _offset);
        }
    }

    private UploadInfo ToUploadInfo() => new()
    {
        Key = Key,
        Version = Version,
        Offset = _offset,
        Record = _record,
        LastModified = _lastModified,
    };
}

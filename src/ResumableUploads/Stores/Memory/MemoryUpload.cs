using System.Buffers;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>An upload in memory. Each method is atomic under a lock that is never held across an await.</summary>
internal sealed class MemoryUpload
{
    /// <summary>A generous estimate of the size, in bytes, of an upload without its data, response and blocks.</summary>
    private const int OverheadSize = 1024;

    private readonly Lock _lock = new();
    private string _nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
    private readonly MemoryBudget _budget;
    private readonly TimeProvider _time;
    private BlockList _content;
    private UploadRecord _record;
    private byte[]? _response;
    private DateTimeOffset _lastModified;
    private long _generation;
    private long _offset;
    private bool _appending;
    private bool _removed;

    /// <summary>Initializes an upload whose cost (<see cref="GetCost"/>) the caller has reserved in the budget.</summary>
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

    /// <summary>Returns the cost, in bytes, of an empty upload with this record.</summary>
    public static long GetCost(UploadRecord record) => OverheadSize + record.Data.Length;

    /// <summary>Returns a snapshot, or null if the upload was removed.</summary>
    public UploadInfo? GetInfo()
    {
        lock (_lock)
        {
            return _removed ? null : ToUploadInfo();
        }
    }

    /// <summary>Returns the offset, or null if the upload was removed.</summary>
    public long? GetOffset()
    {
        lock (_lock)
        {
            return _removed ? null : _offset;
        }
    }

    /// <summary>Replaces the record and, unless it is null, the response, if the version is current.</summary>
    public UpdateResult Update(string version, UploadRecord record, byte[]? response = null)
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
                throw new ArgumentException($"The upload is in state {_record.State} and cannot go back to {record.State}.", nameof(record));
            }

            return new UpdateResult(ChangeStatus.Succeeded, SetRecord(record, response));
        }
    }

    /// <summary>Removes the upload if the version is current or null. Calls <paramref name="removeFromTable"/> under the lock.</summary>
    public ChangeStatus Remove(string? version, Action<MemoryUpload> removeFromTable)
    {
        lock (_lock)
        {
            ChangeStatus status = version is null && !_removed ? ChangeStatus.Succeeded : CheckVersion(version);
            if (status == ChangeStatus.Succeeded)
            {
                _removed = true;
                removeFromTable(this);
                _budget.Release(GetCost(_record) + (_response?.Length ?? 0));
                _response = null;
                _content.ReleaseReference();
            }

            return status;
        }
    }

    /// <summary>Takes the record and the content of another upload, which is removed, if both versions are current.</summary>
    public UpdateResult ReplaceBy(MemoryUpload replacement, string version, string replacementVersion, Action<MemoryUpload> removeFromTable)
    {
        lock (_lock)
        {
            lock (replacement._lock)
            {
                ChangeStatus status = CheckVersion(version);
                status = status == ChangeStatus.Succeeded ? replacement.CheckVersion(replacementVersion) : status;
                if (status != ChangeStatus.Succeeded)
                {
                    return new UpdateResult(status, null);
                }

                if (replacement._record.State != UploadState.Receiving)
                {
                    throw new ArgumentException("The replacement must be in state Receiving.", nameof(replacement));
                }

                _budget.Release(GetCost(_record) + (_response?.Length ?? 0));
                _response = null;
                _content.ReleaseReference();
                replacement._removed = true;
                removeFromTable(replacement);
                (_record, _content, _nonce) = (replacement._record, replacement._content, replacement._nonce);
                (_offset, _lastModified, _generation) = (replacement._offset, replacement._lastModified, replacement._generation + 1);
                return new UpdateResult(ChangeStatus.Succeeded, ToUploadInfo());
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

    /// <summary>Starts an append and returns null, or returns the result of a refused append.</summary>
    public AppendResult? BeginAppend(long offset, UploadContent content)
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

            if (!content.CanAppendTo(_record))
            {
                return new AppendResult(AppendStatus.Busy, _offset, null);
            }

            _appending = true;
            return null;
        }
    }

    /// <summary>Creates a list for staged bytes, which the caller releases.</summary>
    public BlockList CreateStagingBlocks(ArrayPool<byte> pool) => new(_budget, pool);

    /// <summary>
    /// Writes bytes of the running append and advances the offset. Returns null if the upload was removed. The bytes are copied outside of the lock, because
    /// there is only one writer. The reference to the blocks is held during the copy only, so that a removal releases the memory even while a client
    /// sends nothing.
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

    /// <summary>Appends staged bytes, unless the upload was removed.</summary>
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

    /// <summary>Ends the running append. Returns <see cref="AppendStatus.NotFound"/> if the upload was removed.</summary>
    /// <param name="status">The status of the append.</param>
    /// <param name="final">The record that the upload gets in the same step, or null.</param>
    public AppendResult EndAppend(AppendStatus status, UploadRecord? final = null)
    {
        lock (_lock)
        {
            _appending = false;
            if (_removed)
            {
                return new AppendResult(AppendStatus.NotFound, 0, null);
            }

            UploadInfo? updated = final is null ? null : SetRecord(final);
            return new AppendResult(status, _offset, Version, updated);
        }
    }

    private string Version => string.Create(null, $"{_nonce}-{_generation}-{_offset}");

    private static long GetLength(UploadRecord record, byte[]? response) => record.Data.Length + (response?.Length ?? 0);

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

    private UploadInfo SetRecord(UploadRecord record, byte[]? response = null)
    {
        response ??= _response;
        ChargeBudget(GetLength(record, response) - GetLength(_record, _response));
        _record = CopyRecord(record);
        _response = response;
        _generation++;
        _lastModified = _time.GetUtcNow();
        return ToUploadInfo();
    }

    private void ChargeBudget(long change)
    {
        if (change < 0)
        {
            _budget.Release(-change);
        }
        else if (!_budget.TryReserveForRecord(change))
        {
            throw new UploadStoreException(StoreFailure.Full, "The memory store is full.", _offset);
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

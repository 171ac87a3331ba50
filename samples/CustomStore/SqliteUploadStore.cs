using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>
/// Stores uploads in a SQLite database: a row for each upload, and its bytes in blocks. Several processes of one machine can share the file. An append
/// holds a lease on its row and renews it while it runs, so that a killed process blocks the upload only until another one has seen the same lease for
/// <see cref="LeaseDuration"/>. A block is written only in a transaction that has checked the lease.
/// </summary>
public sealed class SqliteUploadStore(string file, TimeProvider? timeProvider = null) : IUploadStore
{
    private const int BlockSize = 256 * 1024;
    private const int PageSize = 100;
    private const int MaxResponseLength = 1024 * 1024;

    /// <summary>The time for which the lease of an append counts unless it is renewed.</summary>
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);

    private readonly string _path = Path.GetFullPath(file);
    private readonly UploadDatabase _database = new(file);
    private readonly TimeProvider _timeProvider = timeProvider ?? TimeProvider.System;
    private readonly LeaseObserver _leases = new(timeProvider ?? TimeProvider.System, LeaseDuration);

    private long UtcNowTicks => _timeProvider.GetUtcNow().UtcTicks;

    public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) => _database.RunAsync(
        transaction =>
        {
            if (transaction.Find(key) is not null)
            {
                return new CreateResult(CreateStatus.AlreadyExists, null);
            }

            var row = new UploadRow(key, Guid.NewGuid().ToString("N"), 1, 0, record with { Data = record.Data.ToArray() }, UtcNowTicks, null, 0);
            transaction.Execute("INSERT INTO uploads (owner, id, nonce) VALUES ($owner, $id, $nonce)", key, ("$nonce", row.Nonce));
            transaction.Update(row);
            return new CreateResult(CreateStatus.Created, row.ToUploadInfo());
        },
        cancellationToken);

    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        _database.RunAsync(transaction => transaction.Find(key)?.ToUploadInfo(), cancellationToken);

    public async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        string leaseHolder = Guid.NewGuid().ToString("N");
        (UploadRow? row, AppendStatus status) = await _database.RunAsync(transaction => TryAcquireLease(transaction, key, offset, content, leaseHolder), cancellationToken);
        if (status != AppendStatus.Appended)
        {
            return new AppendResult(status, row?.Offset ?? 0, status is AppendStatus.OffsetMismatch or AppendStatus.NotReceiving ? row!.Version : null);
        }

        UploadRow current = row!;
        try
        {
            for (bool isCompleted = false; !isCompleted;)
            {
                ReadResult read = await ReadAsync(current, leaseHolder, content, cancellationToken);
                foreach (ReadOnlyMemory<byte> block in SplitIntoBlocks(read.Buffer))
                {
                    current = await _database.RunAsync(transaction => AppendBlock(transaction, current, leaseHolder, block), CancellationToken.None);
                }

                content.Reader.AdvanceTo(read.Buffer.End);
                if (current.Offset > offset)
                {
                    content.ReportDurable(current.Offset);
                }

                isCompleted = read.IsCompleted;
            }
        }
        catch (UploadDeletedException)
        {
            return new AppendResult(AppendStatus.NotFound, 0, null);
        }
        catch
        {
            // The next append need not wait until the lease is over.
            await _database.RunAsync(transaction => ReleaseLease(transaction, current, leaseHolder), CancellationToken.None);
            throw;
        }

        // The result is determined in the transaction that releases the lease: afterwards, another append may change the row.
        return await _database.RunAsync(transaction => ReleaseLease(transaction, current, leaseHolder), CancellationToken.None)
            ? new AppendResult(AppendStatus.Appended, current.Offset, current.Version)
            : new AppendResult(AppendStatus.NotFound, 0, null);
    }

    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        _database.RunAsync(transaction => Update(transaction, key, version, record), cancellationToken);

    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) => _database.RunAsync(
        transaction =>
        {
            UploadRow? row = transaction.Find(key);
            ChangeStatus status = version is not null ? CheckVersion(row, version, out _) : row is null ? ChangeStatus.NotFound : ChangeStatus.Succeeded;
            if (status == ChangeStatus.Succeeded)
            {
                transaction.Execute("DELETE FROM blocks WHERE nonce = $nonce", key, ("$nonce", row!.Nonce));
                transaction.Execute("DELETE FROM uploads WHERE owner = $owner AND id = $id", key);
            }

            return new DeleteResult(status);
        },
        cancellationToken);

    /// <summary>Copies the content to a temporary file next to the database, because it may be larger than the memory.</summary>
    public async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        (FileStream copy, FileStream content) = CreateTemporaryFile();
        bool isCopied = false;
        try
        {
            await using (copy)
            {
                isCopied = await _database.RunAsync(transaction => transaction.CopyBlocks(key, copy), cancellationToken);
            }

            return isCopied ? content : null;
        }
        finally
        {
            if (!isCopied)
            {
                await content.DisposeAsync();
            }
        }
    }

    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        UploadKey? after = query.StartAfter;
        for (int count = PageSize; count == PageSize;)
        {
            List<UploadRow> rows = await _database.RunAsync(transaction => transaction.List(query.Owner, after, PageSize), cancellationToken);
            foreach (UploadInfo info in rows.Select(row => row.ToUploadInfo()).Where(info => query.ExpiredAsOf is not { } time || info.Expires <= time))
            {
                yield return info;
            }

            count = rows.Count;
            after = count == 0 ? after : rows[^1].Key;
        }
    }

    public ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        if (record.State != UploadState.Completed)
        {
            throw new ArgumentException("The state of an upload with a response must be Completed.", nameof(record));
        }

        if (response.Length > MaxResponseLength)
        {
            throw new ArgumentException("A response must have at most 1 MiB.", nameof(response));
        }

        return _database.RunAsync(
            transaction =>
            {
                UpdateResult result = Update(transaction, key, version, record);
                if (result.Status == ChangeStatus.Succeeded)
                {
                    transaction.Execute("UPDATE uploads SET response = $response WHERE owner = $owner AND id = $id", key, ("$response", response.ToArray()));
                }

                return result;
            },
            cancellationToken);
    }

    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) => _database.RunAsync(
        transaction => transaction.GetResponse(key) is { } bytes ? new ReadOnlyMemory<byte>(bytes) : (ReadOnlyMemory<byte>?)null, cancellationToken);

    /// <summary>
    /// Creates a file that only this account can read, and opens it for writing and for reading. Its name is deleted before it has any content, so that a killed
    /// process leaves nothing behind.
    /// </summary>
    private (FileStream Write, FileStream Read) CreateTemporaryFile()
    {
        string path = $"{_path}-{Guid.NewGuid():N}.tmp";
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = BlockSize,
        };
        if (OperatingSystem.IsWindows())
        {
            // An open file has a name on Windows.
            options.Options = FileOptions.DeleteOnClose;
        }
        else
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var write = new FileStream(path, options);
        try
        {
            return (write, new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
        catch
        {
            write.Dispose();
            throw;
        }
        finally
        {
            if (!OperatingSystem.IsWindows())
            {
                File.Delete(path);
            }
        }
    }

    private UpdateResult Update(UploadTransaction transaction, UploadKey key, string version, UploadRecord record)
    {
        if (CheckVersion(transaction.Find(key), version, out UploadRow? row) is var status and not ChangeStatus.Succeeded)
        {
            return new UpdateResult(status, null);
        }

        if (record.State < row!.Record.State)
        {
            throw new ArgumentException("A state cannot go back to an earlier one.", nameof(record));
        }

        // An append whose lease is over must not write any more.
        UploadRow after = row with
        {
            Generation = row.Generation + 1,
            Record = record with { Data = record.Data.ToArray() },
            LastModifiedTicks = UtcNowTicks,
            LeaseHolder = null,
        };
        transaction.Update(after);
        return new UpdateResult(ChangeStatus.Succeeded, after.ToUploadInfo());
    }

    private static IEnumerable<ReadOnlyMemory<byte>> SplitIntoBlocks(ReadOnlySequence<byte> buffer)
    {
        for (; !buffer.IsEmpty; buffer = buffer.Slice(Math.Min(BlockSize, buffer.Length)))
        {
            yield return buffer.Slice(0, Math.Min(BlockSize, buffer.Length)).ToArray();
        }
    }

    private (UploadRow?, AppendStatus) TryAcquireLease(
        UploadTransaction transaction, UploadKey key, long offset, UploadContent content, string leaseHolder)
    {
        UploadRow? row = transaction.Find(key);
        AppendStatus status = row is null ? AppendStatus.NotFound
            : _leases.IsLeased(row) ? AppendStatus.Busy
            : row.Record.State != UploadState.Receiving ? AppendStatus.NotReceiving
            : row.Offset != offset ? AppendStatus.OffsetMismatch

            // Another process may have created another upload with this key since the engine read it.
            : !content.CanAppendTo(row.Record) ? AppendStatus.Busy
            : AppendStatus.Appended;
        if (status == AppendStatus.Appended)
        {
            transaction.Update(row! with { LeaseHolder = leaseHolder, LeaseRenewal = 0 });
        }

        return (row, status);
    }

    /// <summary>Reads the next bytes, and renews the lease while the client is silent.</summary>
    private async Task<ReadResult> ReadAsync(UploadRow row, string leaseHolder, UploadContent content, CancellationToken cancellationToken)
    {
        Task<ReadResult> read = content.Reader.ReadAsync(CancellationToken.None).AsTask();
        while (true)
        {
            try
            {
                return await read.WaitAsync(LeaseDuration / 3, _timeProvider, cancellationToken);
            }
            catch (TimeoutException)
            {
                await _database.RunAsync(transaction => RenewLease(transaction, row, leaseHolder), cancellationToken);
            }
        }
    }

    private UploadRow AppendBlock(UploadTransaction transaction, UploadRow row, string leaseHolder, ReadOnlyMemory<byte> block)
    {
        UploadRow now = GetLeasedRow(transaction, row, leaseHolder) ?? throw new UploadDeletedException();
        transaction.Execute(
            "INSERT INTO blocks (nonce, start, bytes) VALUES ($nonce, $start, $bytes)",
            row.Key, ("$nonce", row.Nonce), ("$start", now.Offset), ("$bytes", block.ToArray()));
        UploadRow after = now with { Offset = now.Offset + block.Length, LastModifiedTicks = UtcNowTicks, LeaseRenewal = now.LeaseRenewal + 1 };
        transaction.Update(after);
        return after;
    }

    /// <summary>Renews the lease. Returns false if the upload was deleted.</summary>
    private static bool RenewLease(UploadTransaction transaction, UploadRow row, string leaseHolder)
    {
        if (GetLeasedRow(transaction, row, leaseHolder) is not { } now)
        {
            return false;
        }

        transaction.Update(now with { LeaseRenewal = now.LeaseRenewal + 1 });
        return true;
    }

    /// <summary>Releases the lease. Returns false if the upload was deleted.</summary>
    private static bool ReleaseLease(UploadTransaction transaction, UploadRow row, string leaseHolder)
    {
        if (GetLeasedRow(transaction, row, leaseHolder) is not { } now)
        {
            return false;
        }

        transaction.Update(now with { LeaseHolder = null });
        return true;
    }

    /// <summary>Returns the current row if this append still holds the lease, or null if the upload was deleted.</summary>
    private static UploadRow? GetLeasedRow(UploadTransaction transaction, UploadRow row, string leaseHolder)
    {
        UploadRow? now = transaction.Find(row.Key);
        return now is null || now.Nonce != row.Nonce ? null
            : now.LeaseHolder == leaseHolder && now.Record.State == UploadState.Receiving ? now
            : throw new UploadStoreException(StoreFailure.Unavailable, "The lease of the append was over, and another call has changed the upload.", now.Offset);
    }

    private ChangeStatus CheckVersion(UploadRow? found, string version, out UploadRow? row)
    {
        row = found;
        return found is null ? ChangeStatus.NotFound
            : _leases.IsLeased(found) ? ChangeStatus.Busy
            : found.Version != version ? ChangeStatus.VersionMismatch
            : ChangeStatus.Succeeded;
    }

    private sealed class UploadDeletedException : Exception;
}

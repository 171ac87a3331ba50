using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>
/// Stores uploads in a SQLite database: a row for each upload, and its bytes in blocks. Several processes of one machine can share the file. An append
/// holds a lease on its row and renews it while it runs, so that a killed process blocks the upload for at most <see cref="LeaseDuration"/>. A block is
/// written only in a transaction that has checked the lease.
/// </summary>
public sealed class SqliteUploadStore(string file, TimeProvider? timeProvider = null) : IUploadStore
{
    private const int BlockSize = 256 * 1024;
    private const int PageSize = 100;

    /// <summary>The time after which the lease of an append expires unless it is renewed.</summary>
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);

    private readonly UploadDatabase _database = new(file);
    private readonly TimeProvider _timeProvider = timeProvider ?? TimeProvider.System;

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
        (UploadRow? row, AppendStatus status) = await _database.RunAsync(transaction => TryAcquireLease(transaction, key, offset, leaseHolder), cancellationToken);
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
            // Releases the lease, so that the next append need not wait until it expires.
            await _database.RunAsync(transaction => RenewLease(transaction, current, leaseHolder, 0), CancellationToken.None);
            throw;
        }

        // The result is determined in the transaction that releases the lease: afterwards, another append may change the row.
        return await _database.RunAsync(transaction => RenewLease(transaction, current, leaseHolder, 0), CancellationToken.None)
            ? new AppendResult(AppendStatus.Appended, current.Offset, current.Version)
            : new AppendResult(AppendStatus.NotFound, 0, null);
    }

    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) => _database.RunAsync(
        transaction =>
        {
            if (CheckVersion(transaction.Find(key), version, out UploadRow? row) is var status and not ChangeStatus.Succeeded)
            {
                return new UpdateResult(status, null);
            }

            if (record.State < row!.Record.State)
            {
                throw new ArgumentException("A state cannot go back to an earlier one.", nameof(record));
            }

            UploadRow after = row with { Generation = row.Generation + 1, Record = record with { Data = record.Data.ToArray() }, LastModifiedTicks = UtcNowTicks };
            transaction.Update(after);
            return new UpdateResult(ChangeStatus.Succeeded, after.ToUploadInfo());
        },
        cancellationToken);

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

    /// <summary>Copies the content to a temporary file, because it may be larger than the memory. Closing the stream deletes the file.</summary>
    public async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
    {
        string path = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        var copy = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, BlockSize, FileOptions.DeleteOnClose);
        await using (copy)
        {
            if (!await _database.RunAsync(transaction => transaction.CopyBlocks(key, copy), cancellationToken))
            {
                return null;
            }

            await copy.FlushAsync(cancellationToken);
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
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

    public async ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) => await _database.RunAsync(
        transaction => transaction.Execute("UPDATE uploads SET response = $response WHERE owner = $owner AND id = $id", key, ("$response", response.ToArray())),
        cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) => _database.RunAsync(
        transaction => transaction.GetResponse(key) is { } bytes ? new ReadOnlyMemory<byte>(bytes) : (ReadOnlyMemory<byte>?)null, cancellationToken);

    private static IEnumerable<ReadOnlyMemory<byte>> SplitIntoBlocks(ReadOnlySequence<byte> buffer)
    {
        for (; !buffer.IsEmpty; buffer = buffer.Slice(Math.Min(BlockSize, buffer.Length)))
        {
            yield return buffer.Slice(0, Math.Min(BlockSize, buffer.Length)).ToArray();
        }
    }

    private (UploadRow?, AppendStatus) TryAcquireLease(UploadTransaction transaction, UploadKey key, long offset, string leaseHolder)
    {
        UploadRow? row = transaction.Find(key);
        AppendStatus status = row is null ? AppendStatus.NotFound
            : row.IsLeased(UtcNowTicks) ? AppendStatus.Busy
            : row.Record.State != UploadState.Receiving ? AppendStatus.NotReceiving
            : row.Offset != offset ? AppendStatus.OffsetMismatch
            : AppendStatus.Appended;
        if (status == AppendStatus.Appended)
        {
            transaction.Update(row! with { LeaseHolder = leaseHolder, LeaseExpiresTicks = UtcNowTicks + LeaseDuration.Ticks });
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
                await _database.RunAsync(transaction => RenewLease(transaction, row, leaseHolder, UtcNowTicks + LeaseDuration.Ticks), cancellationToken);
            }
        }
    }

    private UploadRow AppendBlock(UploadTransaction transaction, UploadRow row, string leaseHolder, ReadOnlyMemory<byte> block)
    {
        UploadRow now = GetLeasedRow(transaction, row, leaseHolder) ?? throw new UploadDeletedException();
        transaction.Execute(
            "INSERT INTO blocks (nonce, start, bytes) VALUES ($nonce, $start, $bytes)",
            row.Key, ("$nonce", row.Nonce), ("$start", now.Offset), ("$bytes", block.ToArray()));
        UploadRow after = now with { Offset = now.Offset + block.Length, LastModifiedTicks = UtcNowTicks, LeaseExpiresTicks = UtcNowTicks + LeaseDuration.Ticks };
        transaction.Update(after);
        return after;
    }

    /// <summary>Changes the expiration of the lease. Returns false if the upload was deleted.</summary>
    private static bool RenewLease(UploadTransaction transaction, UploadRow row, string leaseHolder, long expires)
    {
        if (GetLeasedRow(transaction, row, leaseHolder) is not { } now)
        {
            return false;
        }

        transaction.Update(now with { LeaseExpiresTicks = expires });
        return true;
    }

    /// <summary>Returns the current row if this append still holds the lease, or null if the upload was deleted.</summary>
    private static UploadRow? GetLeasedRow(UploadTransaction transaction, UploadRow row, string leaseHolder)
    {
        UploadRow? now = transaction.Find(row.Key);
        return now is null || now.Nonce != row.Nonce ? null
            : now.LeaseHolder == leaseHolder ? now
            : throw new UploadStoreException(StoreFailure.Unavailable, "The lease of the append expired, and another append has acquired it.", now.Offset);
    }

    private ChangeStatus CheckVersion(UploadRow? found, string version, out UploadRow? row)
    {
        row = found;
        return found is null ? ChangeStatus.NotFound
            : found.IsLeased(UtcNowTicks) ? ChangeStatus.Busy
            : found.Version != version ? ChangeStatus.VersionMismatch
            : ChangeStatus.Succeeded;
    }

    private sealed class UploadDeletedException : Exception;
}

using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>
/// Keeps uploads in a SQLite database: a row for each, and its bytes in blocks. Several processes of one machine may share the file. An append
/// claims its row for a while and renews the claim as long as it works, so that a killed process keeps nobody out for longer than
/// <see cref="LeaseDuration"/>. Each block is written under the claim or not at all.
/// </summary>
public sealed class SqliteUploadStore(string file, TimeProvider? timeProvider = null) : IUploadStore
{
    private const int BlockSize = 256 * 1024;
    private const int PageSize = 100;

    /// <summary>How long an append may go without a sign of life before its row is free again.</summary>
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
        string writer = Guid.NewGuid().ToString("N");
        (UploadRow? row, AppendStatus status) = await _database.RunAsync(transaction => TryAcquireLease(transaction, key, offset, writer), cancellationToken);
        if (status != AppendStatus.Appended)
        {
            return new AppendResult(status, row?.Offset ?? 0, status is AppendStatus.OffsetMismatch or AppendStatus.NotReceiving ? row!.Version : null);
        }

        UploadRow now = row!;
        try
        {
            for (bool isCompleted = false; !isCompleted;)
            {
                System.IO.Pipelines.ReadResult read = await ReadAsync(now, writer, content, cancellationToken);
                foreach (ReadOnlyMemory<byte> block in SplitIntoBlocks(read.Buffer))
                {
                    now = await _database.RunAsync(work => AppendBlock(work, now, writer, block), CancellationToken.None);
                }

                content.Reader.AdvanceTo(read.Buffer.End);
                if (now.Offset > offset)
                {
                    content.ReportDurable(now.Offset);
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
            // The next append need not wait.
            await _database.RunAsync(work => RenewLease(work, now, writer, 0), CancellationToken.None);
            throw;
        }

        // Whether the upload is still there is seen as the claim is given up: a moment later it may be another append's.
        return await _database.RunAsync(work => RenewLease(work, now, writer, 0), CancellationToken.None)
            ? new AppendResult(AppendStatus.Appended, now.Offset, now.Version)
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
                throw new ArgumentException("A state does not go back.", nameof(record));
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

    /// <summary>Copies the content to a file that is gone when the stream is closed: uploads may be larger than the memory.</summary>
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
        transaction => transaction.Execute("UPDATE uploads SET outcome = $outcome WHERE owner = $owner AND id = $id", key, ("$outcome", response.ToArray())), cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) => _database.RunAsync(
        transaction => transaction.GetResponse(key) is { } bytes ? new ReadOnlyMemory<byte>(bytes) : (ReadOnlyMemory<byte>?)null, cancellationToken);

    private static IEnumerable<ReadOnlyMemory<byte>> SplitIntoBlocks(ReadOnlySequence<byte> buffer)
    {
        for (; !buffer.IsEmpty; buffer = buffer.Slice(Math.Min(BlockSize, buffer.Length)))
        {
            yield return buffer.Slice(0, Math.Min(BlockSize, buffer.Length)).ToArray();
        }
    }

    private (UploadRow?, AppendStatus) TryAcquireLease(UploadTransaction transaction, UploadKey key, long offset, string writer)
    {
        UploadRow? row = transaction.Find(key);
        AppendStatus status = row is null ? AppendStatus.NotFound
            : row.IsLeased(UtcNowTicks) ? AppendStatus.Busy
            : row.Record.State != UploadState.Receiving ? AppendStatus.NotReceiving
            : row.Offset != offset ? AppendStatus.OffsetMismatch
            : AppendStatus.Appended;
        if (status == AppendStatus.Appended)
        {
            transaction.Update(row! with { LeaseHolder = writer, LeaseExpiresTicks = UtcNowTicks + LeaseDuration.Ticks });
        }

        return (row, status);
    }

    /// <summary>Waits for bytes. A client may be silent for long; meanwhile the claim is renewed.</summary>
    private async Task<System.IO.Pipelines.ReadResult> ReadAsync(UploadRow row, string writer, UploadContent content, CancellationToken cancellationToken)
    {
        Task<System.IO.Pipelines.ReadResult> read = content.Reader.ReadAsync(CancellationToken.None).AsTask();
        while (true)
        {
            try
            {
                return await read.WaitAsync(LeaseDuration / 3, _timeProvider, cancellationToken);
            }
            catch (TimeoutException)
            {
                await _database.RunAsync(transaction => RenewLease(transaction, row, writer, UtcNowTicks + LeaseDuration.Ticks), cancellationToken);
            }
        }
    }

    private UploadRow AppendBlock(UploadTransaction transaction, UploadRow row, string writer, ReadOnlyMemory<byte> block)
    {
        UploadRow now = GetLeasedRow(transaction, row, writer) ?? throw new UploadDeletedException();
        transaction.Execute(
            "INSERT INTO blocks (nonce, start, bytes) VALUES ($nonce, $start, $bytes)",
            row.Key, ("$nonce", row.Nonce), ("$start", now.Offset), ("$bytes", block.ToArray()));
        UploadRow after = now with { Offset = now.Offset + block.Length, LastModifiedTicks = UtcNowTicks, LeaseExpiresTicks = UtcNowTicks + LeaseDuration.Ticks };
        transaction.Update(after);
        return after;
    }

    /// <summary>False where the upload was deleted.</summary>
    private static bool RenewLease(UploadTransaction transaction, UploadRow row, string writer, long until)
    {
        if (GetLeasedRow(transaction, row, writer) is not { } now)
        {
            return false;
        }

        transaction.Update(now with { LeaseExpiresTicks = until });
        return true;
    }

    /// <summary>The row as it is now, where it is still this append's; null where it was deleted.</summary>
    private static UploadRow? GetLeasedRow(UploadTransaction transaction, UploadRow row, string writer)
    {
        UploadRow? now = transaction.Find(row.Key);
        return now is null || now.Nonce != row.Nonce ? null
            : now.LeaseHolder == writer ? now
            : throw new UploadStoreException(StoreFailure.Unavailable, "The append was held up for so long that another has taken its place.", now.Offset);
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

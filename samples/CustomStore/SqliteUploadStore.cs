using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>
/// Keeps uploads in a SQLite database: a row for each, and its bytes in blocks. Several processes of one machine may share the file. An append
/// claims its row for a while and renews the claim as long as it works, so that a killed process keeps nobody out for longer than
/// <see cref="Claim"/>. Each block is written under the claim or not at all.
/// </summary>
public sealed class SqliteUploadStore(string file, TimeProvider? timeProvider = null) : IUploadStore
{
    private const int BlockSize = 256 * 1024;
    private const int Page = 100;

    /// <summary>How long an append may go without a sign of life before its row is free again.</summary>
    private static readonly TimeSpan Claim = TimeSpan.FromSeconds(15);

    private readonly Database _database = new(file);
    private readonly TimeProvider _clock = timeProvider ?? TimeProvider.System;

    private long Now => _clock.GetUtcNow().UtcTicks;

    public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) => _database.RunAsync(
        work =>
        {
            if (work.Find(key) is not null)
            {
                return new CreateResult(CreateStatus.Taken, null);
            }

            var row = new Row(key, Guid.NewGuid().ToString("N"), 1, 0, record with { Data = record.Data.ToArray() }, Now, null, 0);
            work.Execute("INSERT INTO uploads (owner, id, nonce) VALUES ($owner, $id, $nonce)", key, ("$nonce", row.Nonce));
            work.Write(row);
            return new CreateResult(CreateStatus.Created, row.ToInfo());
        },
        cancellationToken);

    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        _database.RunAsync(work => work.Find(key)?.ToInfo(), cancellationToken);

    public async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        string writer = Guid.NewGuid().ToString("N");
        (Row? row, AppendStatus status) = await _database.RunAsync(work => TryClaim(work, key, offset, writer), cancellationToken);
        if (status != AppendStatus.Appended)
        {
            return new AppendResult(status, row?.Size ?? 0, status is AppendStatus.OffsetMismatch or AppendStatus.NotReceiving ? row!.Version : null);
        }

        Row now = row!;
        try
        {
            for (bool isCompleted = false; !isCompleted;)
            {
                System.IO.Pipelines.ReadResult read = await ReadAsync(now, writer, content, cancellationToken);
                foreach (ReadOnlyMemory<byte> block in Blocks(read.Buffer))
                {
                    now = await _database.RunAsync(work => AppendBlock(work, now, writer, block), CancellationToken.None);
                }

                content.Reader.AdvanceTo(read.Buffer.End);
                if (now.Size > offset)
                {
                    content.Committed(now.Size);
                }

                isCompleted = read.IsCompleted;
            }
        }
        catch (UploadGoneException)
        {
            return new AppendResult(AppendStatus.NotFound, 0, null);
        }
        catch
        {
            // The next append need not wait.
            await _database.RunAsync(work => Renew(work, now, writer, 0), CancellationToken.None);
            throw;
        }

        // Whether the upload is still there is seen as the claim is given up: a moment later it may be another append's.
        return await _database.RunAsync(work => Renew(work, now, writer, 0), CancellationToken.None)
            ? new AppendResult(AppendStatus.Appended, now.Size, now.Version)
            : new AppendResult(AppendStatus.NotFound, 0, null);
    }

    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) => _database.RunAsync(
        work =>
        {
            if (StatusOf(work.Find(key), version, out Row? row) is var status and not ChangeStatus.Done)
            {
                return new UpdateResult(status, null);
            }

            if (record.State < row!.Record.State)
            {
                throw new ArgumentException("A state does not go back.", nameof(record));
            }

            Row after = row with { Generation = row.Generation + 1, Record = record with { Data = record.Data.ToArray() }, Changed = Now };
            work.Write(after);
            return new UpdateResult(ChangeStatus.Done, after.ToInfo());
        },
        cancellationToken);

    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) => _database.RunAsync(
        work =>
        {
            Row? row = work.Find(key);
            ChangeStatus status = version is not null ? StatusOf(row, version, out _) : row is null ? ChangeStatus.NotFound : ChangeStatus.Done;
            if (status == ChangeStatus.Done)
            {
                work.Execute("DELETE FROM blocks WHERE nonce = $nonce", key, ("$nonce", row!.Nonce));
                work.Execute("DELETE FROM uploads WHERE owner = $owner AND id = $id", key);
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
            if (!await _database.RunAsync(work => work.CopyBlocks(key, copy), cancellationToken))
            {
                return null;
            }

            await copy.FlushAsync(cancellationToken);
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
    }

    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        UploadKey? after = query.After;
        for (int count = Page; count == Page;)
        {
            List<Row> rows = await _database.RunAsync(work => work.List(query.Owner, after, Page), cancellationToken);
            foreach (UploadInfo info in rows.Select(row => row.ToInfo()).Where(info => query.ExpiredAt is not { } time || info.Expires <= time))
            {
                yield return info;
            }

            count = rows.Count;
            after = count == 0 ? after : rows[^1].Key;
        }
    }

    public async ValueTask PutOutcomeAsync(UploadKey key, ReadOnlyMemory<byte> outcome, CancellationToken cancellationToken) => await _database.RunAsync(
        work => work.Execute("UPDATE uploads SET outcome = $outcome WHERE owner = $owner AND id = $id", key, ("$outcome", outcome.ToArray())), cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetOutcomeAsync(UploadKey key, CancellationToken cancellationToken) => _database.RunAsync(
        work => work.Outcome(key) is { } bytes ? new ReadOnlyMemory<byte>(bytes) : (ReadOnlyMemory<byte>?)null, cancellationToken);

    private static IEnumerable<ReadOnlyMemory<byte>> Blocks(ReadOnlySequence<byte> buffer)
    {
        for (; !buffer.IsEmpty; buffer = buffer.Slice(Math.Min(BlockSize, buffer.Length)))
        {
            yield return buffer.Slice(0, Math.Min(BlockSize, buffer.Length)).ToArray();
        }
    }

    private (Row?, AppendStatus) TryClaim(Work work, UploadKey key, long offset, string writer)
    {
        Row? row = work.Find(key);
        AppendStatus status = row is null ? AppendStatus.NotFound
            : row.IsClaimed(Now) ? AppendStatus.Busy
            : row.Record.State != UploadState.Receiving ? AppendStatus.NotReceiving
            : row.Size != offset ? AppendStatus.OffsetMismatch
            : AppendStatus.Appended;
        if (status == AppendStatus.Appended)
        {
            work.Write(row! with { Writer = writer, WriterUntil = Now + Claim.Ticks });
        }

        return (row, status);
    }

    /// <summary>Waits for bytes. A client may be silent for long; meanwhile the claim is renewed.</summary>
    private async Task<System.IO.Pipelines.ReadResult> ReadAsync(Row row, string writer, UploadContent content, CancellationToken cancellationToken)
    {
        Task<System.IO.Pipelines.ReadResult> read = content.Reader.ReadAsync(CancellationToken.None).AsTask();
        while (true)
        {
            try
            {
                return await read.WaitAsync(Claim / 3, _clock, cancellationToken);
            }
            catch (TimeoutException)
            {
                await _database.RunAsync(work => Renew(work, row, writer, Now + Claim.Ticks), cancellationToken);
            }
        }
    }

    private Row AppendBlock(Work work, Row row, string writer, ReadOnlyMemory<byte> block)
    {
        Row now = Claimed(work, row, writer) ?? throw new UploadGoneException();
        work.Execute(
            "INSERT INTO blocks (nonce, start, bytes) VALUES ($nonce, $start, $bytes)",
            row.Key, ("$nonce", row.Nonce), ("$start", now.Size), ("$bytes", block.ToArray()));
        Row after = now with { Size = now.Size + block.Length, Changed = Now, WriterUntil = Now + Claim.Ticks };
        work.Write(after);
        return after;
    }

    /// <summary>False where the upload was deleted.</summary>
    private static bool Renew(Work work, Row row, string writer, long until)
    {
        if (Claimed(work, row, writer) is not { } now)
        {
            return false;
        }

        work.Write(now with { WriterUntil = until });
        return true;
    }

    /// <summary>The row as it is now, where it is still this append's; null where it was deleted.</summary>
    private static Row? Claimed(Work work, Row row, string writer)
    {
        Row? now = work.Find(row.Key);
        return now is null || now.Nonce != row.Nonce ? null
            : now.Writer == writer ? now
            : throw new UploadStoreException(StoreFailure.Unavailable, "The append was held up for so long that another has taken its place.", now.Size);
    }

    private ChangeStatus StatusOf(Row? found, string version, out Row? row)
    {
        row = found;
        return found is null ? ChangeStatus.NotFound
            : found.IsClaimed(Now) ? ChangeStatus.Busy
            : found.Version != version ? ChangeStatus.VersionMismatch
            : ChangeStatus.Done;
    }

    private sealed class UploadGoneException : Exception;
}

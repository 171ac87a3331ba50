using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>Writes records of the engine, together with a response, in one conditional step. Long parts are written to side blobs first.</summary>
internal sealed class RecordWriter(UploadBlobs blobs)
{
    /// <summary>Creates the record of a new upload.</summary>
    public async ValueTask<BlobRecord> CreateAsync(UploadKey key, UploadRecord record, long offset, CancellationToken cancellationToken)
    {
        RecordPart data = await blobs.Sides.StoreAsync(key, record.Data, BlobRecordCodec.MaxInlineLength, cancellationToken);
        return Fill(new BlobRecord { Nonce = BlobRecord.NewId(), WriteId = BlobRecord.NewId(), Data = data }, record, offset);
    }

    /// <summary>Replaces the record of an upload that has not changed since it was read.</summary>
    /// <param name="blob">The upload as it was read.</param>
    /// <param name="record">The new record.</param>
    /// <param name="response">The new response, or null to keep the current one.</param>
    /// <param name="leaseId">The lease of the caller, or null.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<WriteResult> WriteAsync(
        UploadBlob blob, UploadRecord record, ReadOnlyMemory<byte>? response, string? leaseId, CancellationToken cancellationToken)
    {
        BlobRecord old = blob.Record;
        byte[] bytes = record.Data.ToArray();
        int limit = BlobRecordCodec.MaxInlineLength - (response is null ? old.Response?.Inline.Length ?? 0 : 0);
        RecordPart data = old.Data.SideName is not null && bytes.AsSpan().SequenceEqual(blob.Data.Span)
            ? old.Data
            : await blobs.Sides.StoreAsync(blob.BlobKey, bytes, limit, cancellationToken);
        RecordPart? newResponse = response is { } given
            ? await blobs.Sides.StoreAsync(blob.BlobKey, given, BlobRecordCodec.MaxInlineLength - data.Inline.Length, cancellationToken)
            : old.Response;
        BlobRecord next = Fill(
            old with { WriteId = BlobRecord.NewId(), Generation = old.Generation + 1, Data = data, Response = newResponse }, record, blob.Offset);
        WriteResult result = await blobs.WriteAsync(blob, next, leaseId, cancellationToken);
        if (result is { IsWritten: true, Blob: { } written })
        {
            written = written with { Data = bytes, IsLeased = false };
            blobs.Recent.Remember(written);
            await blobs.Sides.DeleteUnusedAsync(old, written.Record);
            return new WriteResult(true, written);
        }

        // If this write was carried out before another one, the current record may refer to its side blobs.
        await blobs.Sides.DeleteUnusedAsync(next, old, result.Blob?.Record);
        return result;
    }

    private static BlobRecord Fill(BlobRecord blobRecord, UploadRecord record, long offset) => blobRecord with
    {
        State = record.State,
        Length = record.Length,
        SlidingExpiration = record.SlidingExpiration,
        AbsoluteExpiration = record.AbsoluteExpiration,
        Offset = offset,
        Move = blobRecord.Move is { } move ? move with { LastModified = null } : null,
    };
}

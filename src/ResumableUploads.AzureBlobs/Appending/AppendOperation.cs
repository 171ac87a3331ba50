using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>One append: checks, takes the lease, writes the content, and writes the final record in the last step.</summary>
internal sealed class AppendOperation(StoreContext context, RecordWriter records, UploadKey key, long offset, UploadContent content)
{
    private const int MaxAttempts = 5;

    public async ValueTask<AppendResult> RunAsync(AppendMode mode, CancellationToken cancellationToken)
    {
        UploadBlob? blob = content.ExpectedLength != 0 && context.Recent.Find(key) is { State: UploadState.Receiving } recent && recent.Offset == offset ? recent : null;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            blob ??= await context.Blobs.ReadAsync(key, cancellationToken);
            if (Refuse(blob) is { } refusal)
            {
                return refusal;
            }

            if (content.ExpectedLength == 0)
            {
                return await AppendEmptyAsync(blob!, mode, cancellationToken);
            }

            if (await AppendLease.TryAcquireAsync(context.Blobs, blob!, context.Options.LeaseDuration, cancellationToken) is { } lease)
            {
                return await AppendAsync(blob!, lease, mode, cancellationToken);
            }

            blob = null;
        }

        return new AppendResult(AppendStatus.Busy, offset, null);
    }

    /// <summary>Returns the result if the append is refused.</summary>
    private AppendResult? Refuse(UploadBlob? blob) => blob switch
    {
        null => new AppendResult(AppendStatus.NotFound, 0, null),
        { State: not UploadState.Receiving } => new AppendResult(AppendStatus.NotReceiving, blob.Offset, blob.Version),
        _ when blob.Offset != offset => new AppendResult(AppendStatus.OffsetMismatch, blob.Offset, blob.Version),
        { IsLeased: true } => new AppendResult(AppendStatus.Busy, blob.Offset, null),
        _ => null,
    };

    private async ValueTask<AppendResult> AppendAsync(UploadBlob blob, AppendLease lease, AppendMode mode, CancellationToken cancellationToken)
    {
        var appender = new BlockAppender(context.Blobs, blob with { IsRemembered = false }, lease, context.Time);
        context.Running.Add(key);
        try
        {
            AppendResult result;
            await using (lease)
            {
                lease.StartRenewing(content.RequestRelease);
                result = !content.CanAppendTo(blob.ToInfo().Record) ? new AppendResult(AppendStatus.Busy, blob.Offset, null)
                    : mode == AppendMode.AllOrNothing ? await AppendStagedAsync(appender, cancellationToken)
                    : await AppendPartialAsync(appender, lease, cancellationToken);
            }

            return lease.IsLost && appender.Loss == AppendLoss.None && await IsDeletedAsync(appender, cancellationToken) ? CreateResult(appender, appender.Blob) : result;
        }
        catch (UploadStoreException e) when (e.DurableOffset is null)
        {
            // The lease is released, so that no request of this append can still change the offset.
            throw new UploadStoreException(e.Failure, e.Message, await FindDurableOffsetAsync(appender, cancellationToken), e.InnerException ?? e);
        }
        finally
        {
            context.Running.Remove(key);
        }
    }

    private async ValueTask<AppendResult> AppendPartialAsync(BlockAppender appender, AppendLease lease, CancellationToken cancellationToken)
    {
        await using var writer = new ContentWriter(context, appender, content);
        await writer.WriteAsync(cancellationToken);
        FinalRecord? final = appender.Loss == AppendLoss.None ? content.GetFinalRecord(appender.Blob.Offset) : null;
        if (final is { } finalRecord)
        {
            WriteResult written = await records.WriteAsync(appender.Blob, finalRecord.Record, null, lease.Id, cancellationToken);
            if (written is { IsWritten: true, Blob: { } updated })
            {
                return new AppendResult(AppendStatus.Appended, updated.Offset, updated.Version, updated.ToInfo());
            }
        }
        else if (appender.Loss == AppendLoss.None && appender.Blob.Offset > offset)
        {
            // The lease held when the last block was written. If it is lost since then, the bytes are durable all the same.
            return CreateResult(appender, appender.Blob);
        }

        await appender.CheckLeaseAsync(cancellationToken);
        return CreateResult(appender, appender.Blob);
    }

    private async ValueTask<AppendResult> AppendStagedAsync(BlockAppender appender, CancellationToken cancellationToken)
    {
        await using var staged = new StagedContent(context.Pool);
        if (!await staged.ReadAsync(content.Reader, cancellationToken))
        {
            throw new UploadStoreException(StoreFailure.Full, $"A staged append of upload {key} has more than {StagedContent.MaxLength} bytes.");
        }

        if (!await content.ShouldCommitAsync(cancellationToken))
        {
            await appender.CheckLeaseAsync(cancellationToken);
            AppendResult unchanged = CreateResult(appender, appender.Blob);
            return unchanged.Status == AppendStatus.Appended ? unchanged with { Status = AppendStatus.Discarded } : unchanged;
        }

        if (staged.Length > 0 && await appender.AppendAsync(staged.OpenRead, cancellationToken))
        {
            return CreateResult(appender, appender.Blob);
        }

        await appender.CheckLeaseAsync(cancellationToken);
        return CreateResult(appender, appender.Blob);
    }

    /// <summary>Returns whether the upload was deleted after the last block. If it was only taken over, its bytes count.</summary>
    private static async ValueTask<bool> IsDeletedAsync(BlockAppender appender, CancellationToken cancellationToken)
    {
        try
        {
            return await appender.IsDeletedAsync(cancellationToken);
        }
        catch (UploadStoreException)
        {
            // The bytes were durable.
            return false;
        }
    }

    /// <summary>Appends content that its sender says is empty, which needs no lease.</summary>
    private async ValueTask<AppendResult> AppendEmptyAsync(UploadBlob blob, AppendMode mode, CancellationToken cancellationToken)
    {
        if (!content.CanAppendTo(blob.ToInfo().Record))
        {
            return new AppendResult(AppendStatus.Busy, blob.Offset, null);
        }

        ReadResult result;
        do
        {
            result = await content.Reader.ReadAsync(CancellationToken.None);
            content.Reader.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted);

        if (mode == AppendMode.AllOrNothing)
        {
            AppendStatus status = await content.ShouldCommitAsync(cancellationToken) ? AppendStatus.Appended : AppendStatus.Discarded;
            return new AppendResult(status, blob.Offset, blob.Version);
        }

        if (content.GetFinalRecord(blob.Offset) is not { } final)
        {
            return new AppendResult(AppendStatus.Appended, blob.Offset, blob.Version);
        }

        WriteResult written = await records.WriteAsync(blob, final.Record, null, leaseId: null, cancellationToken);
        return written switch
        {
            { IsWritten: true, Blob: { } updated } => new AppendResult(AppendStatus.Appended, updated.Offset, updated.Version, updated.ToInfo()),
            { Blob: { } current } when current.Record.Nonce == blob.Record.Nonce => new AppendResult(AppendStatus.Busy, current.Offset, null),
            _ => new AppendResult(AppendStatus.NotFound, 0, null),
        };
    }

    private AppendResult CreateResult(BlockAppender appender, UploadBlob blob)
    {
        if (appender.Loss == AppendLoss.None)
        {
            context.Recent.Remember(blob with { IsLeased = false });
            return new AppendResult(AppendStatus.Appended, blob.Offset, blob.Version);
        }

        context.Recent.Forget(key);
        return appender.Loss == AppendLoss.Deleted
            ? new AppendResult(AppendStatus.NotFound, 0, null)
            : new AppendResult(AppendStatus.TakenOver, blob.Offset, null);
    }

    private async ValueTask<long?> FindDurableOffsetAsync(BlockAppender appender, CancellationToken cancellationToken)
    {
        context.Recent.Forget(key);
        try
        {
            UploadBlob? blob = await context.Blobs.ReadWithoutDataAsync(key, cancellationToken);
            return blob?.Record.Nonce == appender.Blob.Record.Nonce ? blob.Offset : null;
        }
        catch (UploadStoreException)
        {
            return appender.Blob.ContentLength;
        }
    }
}

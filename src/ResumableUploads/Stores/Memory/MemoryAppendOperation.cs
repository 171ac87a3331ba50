using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.Memory;

/// <summary>Appends content to an upload after <see cref="MemoryUpload.BeginAppend"/> has succeeded.</summary>
internal static class MemoryAppendOperation
{
    /// <summary>Runs the append and always ends it with <see cref="MemoryUpload.EndAppend"/>.</summary>
    public static async ValueTask<AppendResult> RunAsync(
        MemoryUpload upload, UploadContent content, AppendMode mode, ArrayPool<byte> pool, CancellationToken cancellationToken)
    {
        AppendStatus status;
        UploadRecord? final = null;
        try
        {
            status = mode == AppendMode.KeepPartial
                ? await RunKeepPartialAsync(upload, content, cancellationToken)
                : await RunAllOrNothingAsync(upload, content, pool, cancellationToken);
            if (mode == AppendMode.KeepPartial && upload.GetOffset() is { } offset)
            {
                final = content.GetFinalRecord(offset)?.Record;
            }
        }
        catch
        {
            upload.EndAppend(default);
            throw;
        }

        return upload.EndAppend(status, final);
    }

    private static async ValueTask<AppendStatus> RunKeepPartialAsync(MemoryUpload upload, UploadContent content, CancellationToken cancellationToken)
    {
        PipeReader reader = content.Reader;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(CancellationToken.None);
            if (upload.Write(result.Buffer) is not { } write)
            {
                reader.AdvanceTo(result.Buffer.Start);
                return AppendStatus.NotFound;
            }

            bool isComplete = write.Written == result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.GetPosition(write.Written));
            if (write.Written > 0)
            {
                content.ReportDurable(write.Offset);
            }

            if (!isComplete)
            {
                throw CreateFullException(write.Offset);
            }

            if (result.IsCompleted)
            {
                return AppendStatus.Appended;
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static async ValueTask<AppendStatus> RunAllOrNothingAsync(
        MemoryUpload upload, UploadContent content, ArrayPool<byte> pool, CancellationToken cancellationToken)
    {
        PipeReader reader = content.Reader;
        BlockList staged = upload.CreateStagingBlocks(pool);
        try
        {
            bool ended = false;
            while (!ended)
            {
                ReadResult result = await reader.ReadAsync(CancellationToken.None);
                if (upload.GetOffset() is not { } offset)
                {
                    reader.AdvanceTo(result.Buffer.Start);
                    return AppendStatus.NotFound;
                }

                long written = staged.Write(result.Buffer);
                bool isComplete = written == result.Buffer.Length;
                reader.AdvanceTo(result.Buffer.GetPosition(written));
                if (!isComplete)
                {
                    throw CreateFullException(offset);
                }

                ended = result.IsCompleted;
                cancellationToken.ThrowIfCancellationRequested();
            }

            if (!await content.ShouldCommitAsync(cancellationToken))
            {
                return AppendStatus.Discarded;
            }

            cancellationToken.ThrowIfCancellationRequested();
            upload.Commit(staged);
            return AppendStatus.Appended;
        }
        finally
        {
            staged.ReleaseReference();
        }
    }

    private static UploadStoreException CreateFullException(long durableOffset) =>
        new(StoreFailure.Full, "The memory store is full.", durableOffset);
}

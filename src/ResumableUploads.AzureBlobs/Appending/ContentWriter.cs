using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Appending;

/// <summary>
/// Reads the content of an append to its end and appends it in blocks: when a block is full, or some time after its first byte has arrived. One block is sent while the next one
/// is filled.
/// </summary>
internal sealed class ContentWriter(StoreContext context, BlockAppender appender, UploadContent content) : IAsyncDisposable
{
    private BlockBuffer _block = new(context.Pool);
    private Task<bool> _sending = Task.FromResult(true);
    private CancellationTokenSource? _syncTimer;
    private Task _syncDue = Task.CompletedTask;
    private int _isReleaseRequested;

    /// <summary>Reads to the end. Returns early only if the upload was deleted.</summary>
    public async ValueTask WriteAsync(CancellationToken cancellationToken)
    {
        PipeReader reader = content.Reader;
        bool isCompleted = false;
        while (!isCompleted && appender.Loss != AppendLoss.Deleted)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ValueTask<ReadResult> read = reader.ReadAsync(CancellationToken.None);
            ReadResult result = read.IsCompleted ? await read : await WaitAsync(read.AsTask(), cancellationToken);
            try
            {
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    await BufferAsync(segment, cancellationToken);
                }
            }
            finally
            {
                reader.AdvanceTo(result.Buffer.End);
            }

            isCompleted = result.IsCompleted;
        }

        await SendAsync(cancellationToken);
        await _sending;
    }

    public async ValueTask DisposeAsync()
    {
        StopSyncTimer();
        try
        {
            await _sending;
        }
        catch (Exception e) when (e is UploadStoreException or OperationCanceledException)
        {
            // The append has failed, and its exception is this one or came first.
        }

        _block.Dispose();
    }

    /// <summary>Waits for more content, and meanwhile sends what has been waiting for too long.</summary>
    private async ValueTask<ReadResult> WaitAsync(Task<ReadResult> read, CancellationToken cancellationToken)
    {
        try
        {
            while (!read.IsCompleted)
            {
                await Task.WhenAny(_sending.IsCompleted ? read : _sending, _block.Length == 0 ? read : _syncDue, read);
                if (_sending.IsCompleted)
                {
                    await _sending;
                }

                if (_block.Length > 0 && _syncDue.IsCompleted && !read.IsCompleted)
                {
                    await SendAsync(cancellationToken);
                }
            }
        }
        catch
        {
            // The caller must not find a read that has not ended.
            if (!read.IsCompleted)
            {
                RequestRelease();
                content.Reader.CancelPendingRead();
            }

            content.Reader.AdvanceTo((await read).Buffer.Start);
            throw;
        }

        return await read;
    }

    private async ValueTask BufferAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            if (appender.Loss != AppendLoss.None)
            {
                RequestRelease();
                return;
            }

            bool isFirst = _block.Length == 0;
            int capacity = BlockSizes.Next(appender.Blob.ContentLength, appender.Blob.Blocks, appender.Blob.Record.Length, context.Options.BlockSize);
            int written = _block.Write(bytes.Span, capacity);
            bytes = bytes[written..];
            if (isFirst)
            {
                StartSyncTimer();
            }

            if (bytes.Length > 0 || _block.Length >= capacity)
            {
                await SendAsync(cancellationToken);
            }
        }
    }

    /// <summary>Starts to send the buffered bytes, after the block before them.</summary>
    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        await _sending;
        if (appender.Loss != AppendLoss.None)
        {
            _block.Dispose();
        }

        StopSyncTimer();
        if (_block.Length == 0)
        {
            return;
        }

        BlockBuffer block = _block;
        _block = new BlockBuffer(context.Pool);
        _sending = SendAsync(block, cancellationToken);
    }

    private async Task<bool> SendAsync(BlockBuffer block, CancellationToken cancellationToken)
    {
        using (block)
        {
            bool isAppended = await appender.AppendAsync(block.OpenRead, cancellationToken);
            if (isAppended)
            {
                content.ReportDurable(appender.Blob.ContentLength);
            }
            else
            {
                RequestRelease();
            }

            return isAppended;
        }
    }

    /// <summary>Asks the engine to end the content, because its bytes do not count any more.</summary>
    private void RequestRelease()
    {
        if (Interlocked.Exchange(ref _isReleaseRequested, 1) == 0)
        {
            content.RequestRelease();
        }
    }

    private void StartSyncTimer()
    {
        _syncTimer = new CancellationTokenSource();
        _syncDue = Task.Delay(context.Options.SyncInterval, context.Time, _syncTimer.Token);
    }

    private void StopSyncTimer()
    {
        _syncTimer?.Cancel();
        _syncTimer?.Dispose();
        _syncTimer = null;
    }
}

using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.S3.Content;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Appending;

/// <summary>One append that has claimed the upload: reads the content to its end, and names the stored segments in the state.</summary>
internal sealed class AppendOperation
{
    private readonly StoreContext _context;
    private readonly UploadContent _content;
    private readonly UploadKey _key;
    private readonly UploadDocument _claimed;
    private readonly bool _isStaged;
    private readonly CancellationToken _cancellationToken;
    private readonly SegmentWriter _segments;
    private StoredState _state;
    private long _writtenAt;

    /// <summary>The offset at which the first segment starts that is stored and not named.</summary>
    private long _start;

    /// <param name="context">The parts of the store.</param>
    /// <param name="claimed">The state with the claim of this append.</param>
    /// <param name="content">The content.</param>
    /// <param name="mode">The mode.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public AppendOperation(StoreContext context, StoredState claimed, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        _context = context;
        _content = content;
        _key = claimed.Key;
        _claimed = claimed.Document;
        _isStaged = mode == AppendMode.AllOrNothing;
        _cancellationToken = cancellationToken;
        _segments = new SegmentWriter(context, _claimed.Folder, _claimed.Epoch);
        _state = claimed;
        _start = _claimed.Offset;
        _writtenAt = context.Time.GetTimestamp();
    }

    /// <summary>Gets the time until the state is written next, also if nothing has arrived: the write shows that this append lives, or that it was taken over.</summary>
    private TimeSpan Remaining => (_context.Options.SyncInterval < _context.Writers.HeartbeatInterval ? _context.Options.SyncInterval : _context.Writers.HeartbeatInterval) - _context.Time.GetElapsedTime(_writtenAt);

    public async Task<AppendResult> RunAsync()
    {
        try
        {
            if (_content.SourceStream is SegmentStream source && await SegmentReference.FindAsync(_context, source, _state, _cancellationToken) is { } runs && !HasContentEnded())
            {
                _segments.Stored.AddRange(runs);
                source.Position = source.Length;
            }

            await ReadToEndAsync();
            await _segments.FlushAsync(WaitAsync, _cancellationToken);
            return _isStaged ? await CommitAsync() : await FinishAsync();
        }
        catch (WriterFencedException e)
        {
            return await LoseAsync(e.Current);
        }
        catch (UploadStoreException e)
        {
            throw await FailAsync(e);
        }
        finally
        {
            await _segments.EndAsync();
        }
    }

    private async Task ReadToEndAsync()
    {
        for (bool isCompleted = false; !isCompleted;)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            ValueTask<ReadResult> pending = _content.Reader.ReadAsync(CancellationToken.None);
            ReadResult read;
            if (pending.IsCompleted)
            {
                read = await pending;
            }
            else
            {
                read = await WaitForContentAsync(pending.AsTask());
            }

            SequencePosition consumed = read.Buffer.Start;
            try
            {
                foreach (ReadOnlyMemory<byte> bytes in read.Buffer)
                {
                    await _segments.WriteAsync(bytes, WaitAsync, _cancellationToken);
                }

                consumed = read.Buffer.End;
            }
            finally
            {
                _content.Reader.AdvanceTo(consumed);
            }

            isCompleted = read.IsCompleted;
            if (!isCompleted && (Remaining <= TimeSpan.Zero || (!_isStaged && _segments.StoredLength >= _context.Options.SyncSize)))
            {
                await SyncAsync();
            }
        }
    }

    private async Task<ReadResult> WaitForContentAsync(Task<ReadResult> read)
    {
        try
        {
            await WaitAsync(read, SyncAsync);
            return await read;
        }
        catch
        {
            // The caller must not find a read that has not ended.
            if (!read.IsCompleted)
            {
                _content.RequestRelease();
                _content.Reader.CancelPendingRead();
            }

            _content.Reader.AdvanceTo((await read).Buffer.Start);
            throw;
        }
    }

    /// <summary>Returns whether the engine has ended the content, for example because the server stops. Consumes nothing.</summary>
    private bool HasContentEnded()
    {
        if (!_content.Reader.TryRead(out ReadResult result))
        {
            return false;
        }

        _content.Reader.AdvanceTo(result.Buffer.Start);
        return result.IsCompleted;
    }

    /// <summary>Waits for a task of the writer. Meanwhile, shows that this append lives.</summary>
    private Task WaitAsync(Task task) => WaitAsync(task, WriteStoredAsync);

    private async Task WaitAsync(Task task, Func<Task> whenDueAsync)
    {
        while (!task.IsCompleted)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken);
            TimeSpan remaining = Remaining;
            Task delay = Task.Delay(remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero, _context.Time, stop.Token);
            bool isDue = await Task.WhenAny(task, delay) == delay;
            await stop.CancelAsync();
            _cancellationToken.ThrowIfCancellationRequested();
            if (isDue && !task.IsCompleted)
            {
                await whenDueAsync();
            }
        }
    }

    /// <summary>
    /// Makes the bytes durable that have arrived: those in stored segments or, if there are none, those in memory. A staged append only stores its bytes, so that a
    /// slow client does not hold memory.
    /// </summary>
    private async Task SyncAsync()
    {
        if (_segments.Stored.Count == 0 || _isStaged)
        {
            await _segments.FlushAsync(WaitAsync, _cancellationToken);
        }

        await WriteStoredAsync();
    }

    private async Task WriteStoredAsync()
    {
        bool hasStored = _segments.Stored.Count > 0 && !_isStaged;
        await WriteAsync(document => hasStored ? document.WithSegments(_segments.Stored, _start, _context.Clock.GetChangeTime()) : document);
        if (hasStored)
        {
            _segments.ClearStored();
            _start = _state.Document.Offset;
            _content.ReportDurable(_state.Document.Offset);
        }
    }

    private async Task<AppendResult> FinishAsync()
    {
        long offset = _start + _segments.StoredLength;
        UploadRecord? record = _content.GetFinalRecord(offset)?.Record;
        DateTimeOffset now = _context.Clock.GetChangeTime();
        await WriteAsync(document =>
        {
            UploadDocument ended = document.WithSegments(_segments.Stored, _start, now) with { HasWriter = false };
            return record is null ? ended : ended.WithRecord(record, now);
        });
        if (_segments.Stored.Count > 0)
        {
            _content.ReportDurable(offset);
        }

        UploadDocument written = _state.Document;
        return new AppendResult(AppendStatus.Appended, written.Offset, written.Version, record is null ? null : written.ToInfo(_state.Key));
    }

    private async Task<AppendResult> CommitAsync()
    {
        Task<bool> decision = _content.ShouldCommitAsync(_cancellationToken).AsTask();
        await WaitAsync(decision);
        bool isCommitted = await decision;
        List<SegmentRun> stored = isCommitted ? _segments.Stored : [];
        DateTimeOffset now = _context.Clock.GetChangeTime();
        await WriteAsync(document => document.WithSegments(stored, _start, now) with { HasWriter = false });
        if (!isCommitted)
        {
            await DeleteSegmentsAsync();
        }

        return new AppendResult(isCommitted ? AppendStatus.Appended : AppendStatus.Discarded, _state.Document.Offset, _state.Document.Version);
    }

    private async Task WriteAsync(Func<UploadDocument, UploadDocument> change)
    {
        while (true)
        {
            StateWrite write = await _context.States.WriteAsync(_state, change(_state.Document), _cancellationToken);
            if (write.IsWritten)
            {
                _state = write.State!;
                _writtenAt = _context.Time.GetTimestamp();
                return;
            }

            // A change that does not concern the writer, such as a stored response, is kept.
            UploadDocument? document = write.State?.Document;
            if (document is not { Phase: UploadPhase.Live or UploadPhase.Creating, HasWriter: true }
                || document.Nonce != _claimed.Nonce || document.Epoch != _claimed.Epoch)
            {
                throw new WriterFencedException(write.State);
            }

            _state = write.State!;
        }
    }

    private async Task<AppendResult> LoseAsync(StoredState? current)
    {
        // The segments stay: a concatenation may name those that this append has made durable. The clean-up deletes the others.
        await _segments.EndAsync();
        if (current?.Document is not { Phase: UploadPhase.Live } document || document.Nonce != _claimed.Nonce)
        {
            return new AppendResult(AppendStatus.NotFound, 0, null);
        }

        _content.RequestRelease();
        return new AppendResult(AppendStatus.TakenOver, document.Offset, null);
    }

    /// <summary>Keeps the bytes that are stored, and ends the claim, as far as the storage lets it.</summary>
    private async Task<UploadStoreException> FailAsync(UploadStoreException failure)
    {
        await _segments.EndAsync();
        try
        {
            List<SegmentRun> stored = _isStaged ? [] : _segments.Stored;
            await WriteAsync(document => document.WithSegments(stored, _start, _context.Clock.GetChangeTime()) with { HasWriter = false });
        }
        catch (Exception e) when (e is UploadStoreException or WriterFencedException)
        {
            _state = (e as WriterFencedException)?.Current is { } current && current.Document.Nonce == _claimed.Nonce ? current : _state;
            Log.WriterNotEnded(_context.Logger, _key, _context.Options.WriterTimeout, e);
        }

        return new UploadStoreException(failure.Failure, failure.Message, _state.Document.Offset, failure.InnerException);
    }

    /// <summary>Deletes the segments of an append of which no state has named one. What remains after a failure is found by the clean-up.</summary>
    private async Task DeleteSegmentsAsync()
    {
        try
        {
            await _context.Storage.DeleteAsync([.. _segments.Started.Select(name => _context.Keys.GetObject(_claimed.Folder, name))], _cancellationToken);
        }
        catch (UploadStoreException e)
        {
            Log.DeleteFailed(_context.Logger, _key, e);
        }
    }
}

/// <summary>Another call has ended the claim of a writer.</summary>
internal sealed class WriterFencedException(StoredState? current) : Exception
{
    public StoredState? Current => current;
}

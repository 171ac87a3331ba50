using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Engine.Content;

/// <summary>
/// The body of a request, made harmless: whatever happens to the client, it ends instead of throwing, and gives every byte that the web
/// server handed over before. It never gives more than the upload may take.
/// </summary>
internal sealed class RequestBodyReader : PipeReader, IDisposable
{
    private readonly PipeReader _inner;
    private readonly MinDataRateMonitor _dataRateMonitor;
    private readonly BackgroundHasher? _hasher;
    private readonly Action _onEndedEarly;
    private readonly TimeProvider _time;
    private ReadOnlySequence<byte> _current;
    private long _remaining;

    /// <summary>How many of the bytes that are given now are hashed already, or about to be.</summary>
    private long _hashedLength;
    private int _requestedStopReason;
    private volatile bool _isBufferTimeoutElapsed;

    /// <summary>Whether the last read is still to be given: a pipe does not give again what was looked at.</summary>
    private bool _isResultPending;
    private bool _isInnerCompleted;
    private bool _needsAdvance;
    private bool _isCompleted;

    /// <param name="inner">The body as the server gives it.</param>
    /// <param name="room">How many bytes may be given at most.</param>
    /// <param name="digest">What the bytes are hashed into while they are read, or null. It is true when all that was given was taken.</param>
    /// <param name="time">The clock.</param>
    /// <param name="settings">Idle timeout and lowest rate.</param>
    /// <param name="ended">Called once when the content ends other than whole.</param>
    public RequestBodyReader(PipeReader inner, long room, IncrementalDigest? digest, TimeProvider time, EngineSettings settings, Action ended)
    {
        _inner = inner;
        _remaining = room;
        _hasher = digest is null ? null : new BackgroundHasher(digest);
        _onEndedEarly = ended;
        _time = time;
        _dataRateMonitor = new MinDataRateMonitor(time, settings, RequestStop);
    }

    /// <summary>Why it ended; <see cref="BodyEndReason.NotEnded"/> while it has not.</summary>
    public BodyEndReason EndReason { get; private set; }

    /// <summary>How many bytes were taken from it.</summary>
    public long ConsumedLength { get; private set; }

    /// <summary>Whether all that was given was taken.</summary>
    public bool IsFullyConsumed => _current.IsEmpty;

    /// <summary>Ends the content soon: what is there is still given. The first reason counts. Safe from any thread.</summary>
    public void RequestStop(BodyEndReason reason)
    {
        if (Interlocked.CompareExchange(ref _requestedStopReason, (int)reason, 0) == 0)
        {
            WakePendingRead();
        }
    }

    /// <summary>
    /// Waits a moment until all bytes of a content of this length are there, and are hashed, and takes none of them: the next read gives them again.
    /// Null where it ended before, or takes longer.
    /// </summary>
    public async ValueTask<ReadOnlySequence<byte>?> TryBufferAsync(long length, TimeSpan timeout)
    {
        ITimer? timer = null;
        try
        {
            while (true)
            {
                ValueTask<ReadResult> read = ReadAsync(CancellationToken.None);
                timer ??= read.IsCompleted ? null
                    : _time.CreateTimer(static reader => ((RequestBodyReader)reader!).OnBufferTimeout(), this, timeout, Timeout.InfiniteTimeSpan);
                ReadResult result = await read;
                bool isAll = result.Buffer.Length == length && EndReason is (BodyEndReason.NotEnded or BodyEndReason.EndOfBody);
                if (isAll || result.IsCompleted || _isBufferTimeoutElapsed)
                {
                    _isResultPending = true;
                    _hasher?.Finish();
                    return isAll ? result.Buffer : null;
                }

                AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        finally
        {
            if (timer is not null)
            {
                await timer.DisposeAsync();
            }

            _isBufferTimeoutElapsed = false;
        }
    }

    /// <summary>Whether a read that was cancelled was meant to be.</summary>
    private bool IsWakeupRequested => Volatile.Read(ref _requestedStopReason) != 0 || _isBufferTimeoutElapsed;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_isCompleted || _isResultPending)
        {
            return new ValueTask<ReadResult>(CurrentReadResult());
        }

        if (Volatile.Read(ref _requestedStopReason) != 0)
        {
            return new ValueTask<ReadResult>(ReadAvailable());
        }

        ValueTask<ReadResult> read;
        try
        {
            read = _inner.ReadAsync(CancellationToken.None);
        }
        catch (Exception)
        {
            return new ValueTask<ReadResult>(HandleReadFailure());
        }

        return read.IsCompletedSuccessfully ? ProcessCompletedRead(read.Result) : WaitForReadAsync(read);
    }

    public override bool TryRead(out ReadResult result)
    {
        if (_isCompleted || _isResultPending)
        {
            result = CurrentReadResult();
            return true;
        }

        if (Volatile.Read(ref _requestedStopReason) != 0)
        {
            result = ReadAvailable();
            return true;
        }

        try
        {
            if (!_inner.TryRead(out ReadResult inner))
            {
                result = default;
                return false;
            }

            result = ProcessRead(inner);
            return true;
        }
        catch (Exception)
        {
            result = HandleReadFailure();
            return true;
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // With this call the memory goes back.
        _hasher?.Finish();
        long count = _current.Slice(_current.Start, consumed).Length;
        _hashedLength -= count;
        _remaining -= count;
        ConsumedLength += count;

        // A rest of nothing must not point into memory that goes back with this call.
        ReadOnlySequence<byte> rest = _current.Slice(consumed);
        _current = rest.IsEmpty ? ReadOnlySequence<byte>.Empty : rest;
        _isResultPending = false;
        AdvanceInner(consumed, examined);
    }

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    /// <summary>The body is the request's own; whoever reads the content does not complete it.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    public void Dispose()
    {
        _dataRateMonitor.Dispose();
        _hasher?.Dispose();

        // A store that failed has not given back what it was given. Nobody else could read the rest of the body then.
        AdvanceInner(_current.Start, _current.End);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a server throws while reading a body is the end of that body.")]
    private void AdvanceInner(SequencePosition consumed, SequencePosition examined)
    {
        if (!_needsAdvance || _isInnerCompleted)
        {
            return;
        }

        // After the last result nothing is read any more: what a store leaves of it is given again from here.
        _needsAdvance = false;
        _isInnerCompleted = _isCompleted;
        try
        {
            _inner.AdvanceTo(consumed, examined);
        }
        catch (Exception)
        {
            // The request broke while the store was writing: the store did nothing wrong, and has taken these bytes.
            HandleReadFailure();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitForReadAsync(ValueTask<ReadResult> read)
    {
        try
        {
            while (true)
            {
                ReadResult result;
                _dataRateMonitor.StartWaiting();
                try
                {
                    result = await read;
                }
                finally
                {
                    _dataRateMonitor.StopWaiting();
                }

                if (!result.IsCanceled || IsWakeupRequested)
                {
                    return ProcessRead(result);
                }

                _inner.AdvanceTo(result.Buffer.Start);
                read = _inner.ReadAsync(CancellationToken.None);
            }
        }
        catch (Exception)
        {
            return HandleReadFailure();
        }
    }

    private ValueTask<ReadResult> ProcessCompletedRead(ReadResult result)
    {
        if (!result.IsCanceled || IsWakeupRequested)
        {
            return new ValueTask<ReadResult>(ProcessRead(result));
        }

        // Woken by somebody else, for a reason that is not ours: nothing was looked at, read again.
        _inner.AdvanceTo(result.Buffer.Start);
        return ReadAsync(CancellationToken.None);
    }

    private ReadResult ProcessRead(ReadResult result)
    {
        // What came counts, and not what was taken: a store may gather for longer than the pace is measured.
        _dataRateMonitor.AddBytes(result.Buffer.Length - _current.Length);
        _needsAdvance = true;
        _current = result.Buffer;
        if (_current.Length > _remaining)
        {
            _current = _current.Slice(0, _remaining);
            MarkEnded(BodyEndReason.LimitExceeded);
        }
        else if (result.IsCompleted)
        {
            MarkEnded(BodyEndReason.EndOfBody);
        }
        else if (result.IsCanceled && _requestedStopReason != 0)
        {
            MarkEnded((BodyEndReason)_requestedStopReason);
        }

        if (_hasher is not null)
        {
            _hasher.Start(_current.Slice(_hashedLength));
            _hashedLength = _current.Length;
        }

        return new ReadResult(_current, isCanceled: false, isCompleted: _isCompleted);
    }

    /// <summary>Asked to leave: one last look, so that nothing the server has is lost.</summary>
    private ReadResult ReadAvailable()
    {
        try
        {
            if (_inner.TryRead(out ReadResult result))
            {
                ReadResult given = ProcessRead(result);
                if (_isCompleted)
                {
                    return given;
                }
            }
            else
            {
                _isInnerCompleted = true;
            }

            MarkEnded((BodyEndReason)_requestedStopReason);
            return CurrentReadResult();
        }
        catch (Exception)
        {
            return HandleReadFailure();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a server throws while reading a body is the end of that body.")]
    private ReadResult HandleReadFailure()
    {
        _isInnerCompleted = true;
        MarkEnded(_requestedStopReason != 0 ? (BodyEndReason)_requestedStopReason : BodyEndReason.Disconnected);
        return CurrentReadResult();
    }

    private void OnBufferTimeout()
    {
        _isBufferTimeoutElapsed = true;
        WakePendingRead();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a server throws from a request that is over says only that it is over.")]
    private void WakePendingRead()
    {
        try
        {
            _inner.CancelPendingRead();
        }
        catch (Exception)
        {
            // The request is over already: the read that would have been woken has ended by itself. (Kestrel throws here what broke
            // the request, and that is no fault of the newcomer who asks.)
        }
    }

    private ReadResult CurrentReadResult() => new(_current, isCanceled: false, isCompleted: _isCompleted);

    private void MarkEnded(BodyEndReason reason)
    {
        if (_isCompleted)
        {
            return;
        }

        _isCompleted = true;
        EndReason = reason;
        _dataRateMonitor.Dispose();
        if (reason != BodyEndReason.EndOfBody)
        {
            _onEndedEarly();
        }
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Content;

/// <summary>
/// A reader of a request body that never throws. A disconnect, a preemption, a shutdown, a timeout or an exceeded limit ends the
/// body, after every byte that the web server had already received. <see cref="EndReason"/> is the reason.
/// </summary>
internal sealed partial class RequestBodyReader : PipeReader, IDisposable
{
    private readonly PipeReader _inner;
    private readonly MinDataRateMonitor _dataRateMonitor;
    private readonly BackgroundHasher? _hasher;
    private readonly Action _onEndingEarly;
    private readonly TimeProvider _time;
    private InnerState _innerState;

    /// <summary>The unconsumed bytes of the last read.</summary>
    private ReadOnlySequence<byte> _unconsumed;

    /// <summary>The number of bytes of <see cref="_unconsumed"/> that were passed to the hasher.</summary>
    private long _hashedLength;

    /// <summary>The number of bytes that may still be consumed.</summary>
    private long _remainingLength;

    /// <param name="inner">The body as the server provides it.</param>
    /// <param name="maxLength">The maximum number of bytes to read.</param>
    /// <param name="digest">
    /// The digest to update with the bytes that are read, or <see langword="null"/>. It is valid once all bytes are consumed.
    /// </param>
    /// <param name="time">The clock.</param>
    /// <param name="settings">The idle timeout and the minimum data rate.</param>
    /// <param name="onEndingEarly">
    /// The action that is called once if a stop is requested before the body has ended, or the body ends for any other reason except
    /// <see cref="BodyEndReason.EndOfBody"/>.
    /// </param>
    public RequestBodyReader(
        PipeReader inner, long maxLength, IncrementalDigest? digest, TimeProvider time, EngineSettings settings, Action onEndingEarly)
    {
        _inner = inner;
        _remainingLength = maxLength;
        _hasher = digest is null ? null : new BackgroundHasher(digest);
        _onEndingEarly = onEndingEarly;
        _time = time;
        _dataRateMonitor = new MinDataRateMonitor(time, settings, RequestStop);
    }

    /// <summary>Specifies which calls the inner reader accepts.</summary>
    private enum InnerState
    {
        /// <summary>It can be read.</summary>
        Readable,

        /// <summary>It returned a result and expects a call of AdvanceTo.</summary>
        AdvancePending,

        /// <summary>It is no longer called.</summary>
        Closed,
    }

    /// <summary>Gets or sets the reservation that is extended with each read, or <see langword="null"/>.</summary>
    public QuotaReservation? Reservation { get; set; }

    /// <summary>
    /// Gets the lock that counts the bytes of each read, or <see langword="null"/>. If it refuses them, they are discarded, and the body ends before them.
    /// </summary>
    public UploadLock? CountingLock { get; init; }

    /// <summary>Gets the action that is called once when the body has ended for any reason, or <see langword="null"/>.</summary>
    public Action<BodyEndReason>? OnEnded { get; init; }

    public BodyEndReason EndReason { get; private set; }

    public long ConsumedLength { get; private set; }

    /// <summary>Gets whether every byte that was read is consumed.</summary>
    public bool IsFullyConsumed => _unconsumed.IsEmpty;

    private bool HasEnded => EndReason != BodyEndReason.NotEnded;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (HasEnded || _isResultBuffered)
        {
            return new ValueTask<ReadResult>(CurrentReadResult());
        }

        if (IsStopRequested)
        {
            return new ValueTask<ReadResult>(ReadAvailable());
        }

        ValueTask<ReadResult> read;
        try
        {
            read = _inner.ReadAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            return new ValueTask<ReadResult>(HandleReadFailure(e));
        }

        return read.IsCompletedSuccessfully ? ProcessCompletedRead(read.Result) : WaitForReadAsync(read);
    }

    public override bool TryRead(out ReadResult result)
    {
        if (HasEnded || _isResultBuffered)
        {
            result = CurrentReadResult();
            return true;
        }

        if (IsStopRequested)
        {
            result = ReadAvailable();
            return true;
        }

        try
        {
            if (!_inner.TryRead(out ReadResult innerResult))
            {
                result = default;
                return false;
            }

            result = ProcessRead(innerResult);
            return true;
        }
        catch (Exception e)
        {
            result = HandleReadFailure(e);
            return true;
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // The inner reader reuses the memory after this call.
        _hasher?.Finish();
        long count = _unconsumed.Slice(_unconsumed.Start, consumed).Length;
        _hashedLength -= count;
        _remainingLength -= count;
        ConsumedLength += count;

        // An empty slice would still reference memory that the inner reader reuses.
        ReadOnlySequence<byte> rest = _unconsumed.Slice(consumed);
        _unconsumed = rest.IsEmpty ? ReadOnlySequence<byte>.Empty : rest;
        _isResultBuffered = false;
        _hasExaminedUnconsumed = !consumed.Equals(examined);
        AdvanceInner(consumed, examined);
    }

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    /// <summary>Does nothing: the server completes the request body.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    public void Dispose()
    {
        lock (_stopLock)
        {
            _isDisposed = true;
        }

        _dataRateMonitor.Dispose();
        _hasher?.Dispose();

        // A store that failed may not have advanced. The server could not read the rest of the body then.
        AdvanceInner(_unconsumed.Start, _unconsumed.End);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Any exception that a server throws while a body is read is the end of that body.")]
    private void AdvanceInner(SequencePosition consumed, SequencePosition examined)
    {
        if (_innerState != InnerState.AdvancePending)
        {
            return;
        }

        // After the end, unconsumed bytes are returned from here and the inner reader is not called again.
        _innerState = HasEnded ? InnerState.Closed : InnerState.Readable;
        try
        {
            (_isReadingConnection ? Connection! : _inner).AdvanceTo(consumed, examined);
        }
        catch (Exception e)
        {
            // The request was aborted while the store was writing. The store has these bytes and must not see an exception.
            HandleReadFailure(e);
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
        catch (Exception e)
        {
            return HandleReadFailure(e);
        }
    }

    private ValueTask<ReadResult> ProcessCompletedRead(ReadResult result)
    {
        if (!result.IsCanceled || IsWakeupRequested)
        {
            return new ValueTask<ReadResult>(ProcessRead(result));
        }

        // The server canceled the read, which is not an end of the body. Read again without examining anything.
        _inner.AdvanceTo(result.Buffer.Start);
        return ReadAsync(CancellationToken.None);
    }

    private ReadResult ProcessRead(ReadResult result)
    {
        // Counts received bytes instead of consumed ones: a store may gather a block for longer than the period of the data rate.
        long receivedLength = result.Buffer.Length - _unconsumed.Length;
        _dataRateMonitor.AddBytes(receivedLength);
        _innerState = InnerState.AdvancePending;
        if (receivedLength > 0 && CountingLock?.TryReceive(receivedLength) is false)
        {
            _unconsumed = result.Buffer.Slice(0, _unconsumed.Length);
            MarkEnded(BodyEndReason.Preempted);
            return CurrentReadResult();
        }

        _unconsumed = result.Buffer;
        long reservedLength = ReserveUnconsumed();
        if (_unconsumed.Length > Math.Min(_remainingLength, reservedLength))
        {
            BodyEndReason reason = reservedLength < _remainingLength ? BodyEndReason.QuotaExceeded : BodyEndReason.LimitExceeded;
            _unconsumed = _unconsumed.Slice(0, Math.Min(_remainingLength, reservedLength));
            MarkEnded(reason);
        }
        else if (result.IsCompleted)
        {
            MarkEnded(BodyEndReason.EndOfBody);
        }
        else if (result.IsCanceled && IsStopRequested)
        {
            MarkEnded(_requestedStop);
        }

        if (_hasher is not null)
        {
            _hasher.Start(_unconsumed.Slice(_hashedLength));
            _hashedLength = _unconsumed.Length;
        }

        return CurrentReadResult();
    }

    /// <summary>Returns how many of the unconsumed bytes the quota allows.</summary>
    private long ReserveUnconsumed() =>
        Reservation is { } reservation
            ? reservation.Extend(ConsumedLength + Math.Min(_unconsumed.Length, _remainingLength)) - ConsumedLength
            : long.MaxValue;

    /// <summary>Reads once more after a stop was requested, so that no byte that the server has received is lost, and ends the body.</summary>
    private ReadResult ReadAvailable()
    {
        try
        {
            if (_inner.TryRead(out ReadResult innerResult))
            {
                ReadResult result = ProcessRead(innerResult);
                if (HasEnded)
                {
                    return result;
                }
            }
            else
            {
                _innerState = InnerState.Closed;
            }

            MarkEnded(_requestedStop);
            return CurrentReadResult();
        }
        catch (Exception e)
        {
            return HandleReadFailure(e);
        }
    }

    /// <summary>Ends the body after an exception of the inner reader. Bytes that were received and not consumed are still returned.</summary>
    private ReadResult HandleReadFailure(Exception exception)
    {
        _innerState = InnerState.Closed;
        if (exception is IOException && !HasEnded && Connection is { } connection)
        {
            ReadConnection(connection);
        }

        MarkEnded(IsStopRequested ? _requestedStop : BodyEndReason.Disconnected);
        return CurrentReadResult();
    }

    private ReadResult CurrentReadResult() => new(_unconsumed, isCanceled: false, isCompleted: HasEnded);

    private void MarkEnded(BodyEndReason reason)
    {
        if (HasEnded)
        {
            return;
        }

        lock (_stopLock)
        {
            EndReason = reason;
        }

        _dataRateMonitor.Dispose();
        OnEnded?.Invoke(reason);
        if (reason != BodyEndReason.EndOfBody && !IsStopRequested)
        {
            _onEndingEarly();
        }
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace ResumableUploads.Engine.Content;

/// <summary>
/// The body of a request, made harmless: whatever happens to the client, it ends instead of throwing, and gives every byte that the web
/// server handed over before. It never gives more than the upload may take.
/// </summary>
internal sealed class GuardedReader : PipeReader, IDisposable
{
    private readonly PipeReader _inner;
    private readonly PaceWatch _pace;
    private readonly HashingBeside? _hashing;
    private readonly Action _ended;
    private readonly TimeProvider _time;
    private ReadOnlySequence<byte> _current;
    private long _room;

    /// <summary>How many of the bytes that are given now are hashed already, or about to be.</summary>
    private long _hashed;
    private int _asked;
    private volatile bool _isMomentOver;

    /// <summary>Whether the last read is still to be given: a pipe does not give again what was looked at.</summary>
    private bool _isHeld;
    private bool _innerIsOver;
    private bool _isReading;
    private bool _final;

    /// <param name="inner">The body as the server gives it.</param>
    /// <param name="room">How many bytes may be given at most.</param>
    /// <param name="digest">What the bytes are hashed into while they are read, or null. It is true when all that was given was taken.</param>
    /// <param name="time">The clock.</param>
    /// <param name="settings">Idle timeout and lowest rate.</param>
    /// <param name="ended">Called once when the content ends other than whole.</param>
    public GuardedReader(PipeReader inner, long room, IncrementalDigest? digest, TimeProvider time, EngineSettings settings, Action ended)
    {
        _inner = inner;
        _room = room;
        _hashing = digest is null ? null : new HashingBeside(digest);
        _ended = ended;
        _time = time;
        _pace = new PaceWatch(time, settings, Leave);
    }

    /// <summary>Why it ended; <see cref="ContentEnd.None"/> while it has not.</summary>
    public ContentEnd End { get; private set; }

    /// <summary>How many bytes were taken from it.</summary>
    public long Taken { get; private set; }

    /// <summary>Whether all that was given was taken.</summary>
    public bool IsEmptied => _current.IsEmpty;

    /// <summary>What the server threw when the body broke off, or null.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Ends the content soon: what is there is still given. The first reason counts. Safe from any thread.</summary>
    public void Leave(ContentEnd reason)
    {
        if (Interlocked.CompareExchange(ref _asked, (int)reason, 0) == 0)
        {
            Wake();
        }
    }

    /// <summary>
    /// Waits a moment until all bytes of a content of this length are there, and are hashed, and takes none of them: the next read gives them again.
    /// Null where it ended before, or takes longer.
    /// </summary>
    public async ValueTask<ReadOnlySequence<byte>?> GatherAsync(long length, TimeSpan moment)
    {
        ITimer? timer = null;
        try
        {
            while (true)
            {
                ValueTask<ReadResult> read = ReadAsync(CancellationToken.None);
                timer ??= read.IsCompleted ? null
                    : _time.CreateTimer(static reader => ((GuardedReader)reader!).EndMoment(), this, moment, Timeout.InfiniteTimeSpan);
                ReadResult result = await read.ConfigureAwait(false);
                bool isAll = result.Buffer.Length == length && End is (ContentEnd.None or ContentEnd.Whole);
                if (isAll || result.IsCompleted || _isMomentOver)
                {
                    _isHeld = true;
                    _hashing?.Finish();
                    return isAll ? result.Buffer : null;
                }

                AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        finally
        {
            if (timer is not null)
            {
                await timer.DisposeAsync().ConfigureAwait(false);
            }

            _isMomentOver = false;
        }
    }

    /// <summary>Whether a read that was cancelled was meant to be.</summary>
    private bool IsWoken => Volatile.Read(ref _asked) != 0 || _isMomentOver;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_final || _isHeld)
        {
            return new ValueTask<ReadResult>(Seen());
        }

        if (Volatile.Read(ref _asked) != 0)
        {
            return new ValueTask<ReadResult>(TakeWhatIsThere());
        }

        ValueTask<ReadResult> read;
        try
        {
            read = _inner.ReadAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            return new ValueTask<ReadResult>(Broken(e));
        }

        return read.IsCompletedSuccessfully ? Ready(read.Result) : WaitAsync(read);
    }

    public override bool TryRead(out ReadResult result)
    {
        if (_final || _isHeld)
        {
            result = Seen();
            return true;
        }

        if (Volatile.Read(ref _asked) != 0)
        {
            result = TakeWhatIsThere();
            return true;
        }

        try
        {
            if (!_inner.TryRead(out ReadResult inner))
            {
                result = default;
                return false;
            }

            result = Give(inner);
            return true;
        }
        catch (Exception e)
        {
            result = Broken(e);
            return true;
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // With this call the memory goes back.
        _hashing?.Finish();
        long count = _current.Slice(_current.Start, consumed).Length;
        _hashed -= count;
        _room -= count;
        Taken += count;

        // A rest of nothing must not point into memory that goes back with this call.
        ReadOnlySequence<byte> rest = _current.Slice(consumed);
        _current = rest.IsEmpty ? ReadOnlySequence<byte>.Empty : rest;
        _isHeld = false;
        Advance(consumed, examined);
    }

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    /// <summary>The body is the request's own; whoever reads the content does not complete it.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    public void Dispose()
    {
        _pace.Dispose();
        _hashing?.Dispose();

        // A store that failed has not given back what it was given. Nobody else could read the rest of the body then.
        Advance(_current.Start, _current.End);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a server throws while reading a body is the end of that body.")]
    private void Advance(SequencePosition consumed, SequencePosition examined)
    {
        if (!_isReading || _innerIsOver)
        {
            return;
        }

        // After the last result nothing is read any more: what a store leaves of it is given again from here.
        _isReading = false;
        _innerIsOver = _final;
        try
        {
            _inner.AdvanceTo(consumed, examined);
        }
        catch (Exception e)
        {
            // The request broke while the store was writing: the store did nothing wrong, and has taken these bytes.
            Broken(e);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read)
    {
        try
        {
            while (true)
            {
                ReadResult result;
                _pace.WaitBegins();
                try
                {
                    result = await read.ConfigureAwait(false);
                }
                finally
                {
                    _pace.WaitEnds();
                }

                if (!result.IsCanceled || IsWoken)
                {
                    return Give(result);
                }

                _inner.AdvanceTo(result.Buffer.Start);
                read = _inner.ReadAsync(CancellationToken.None);
            }
        }
        catch (Exception e)
        {
            return Broken(e);
        }
    }

    private ValueTask<ReadResult> Ready(ReadResult result)
    {
        if (!result.IsCanceled || IsWoken)
        {
            return new ValueTask<ReadResult>(Give(result));
        }

        // Woken by somebody else, for a reason that is not ours: nothing was looked at, read again.
        _inner.AdvanceTo(result.Buffer.Start);
        return ReadAsync(CancellationToken.None);
    }

    private ReadResult Give(ReadResult result)
    {
        // What came counts, and not what was taken: a store may gather for longer than the pace is measured.
        _pace.Came(result.Buffer.Length - _current.Length);
        _isReading = true;
        _current = result.Buffer;
        if (_current.Length > _room)
        {
            _current = _current.Slice(0, _room);
            Ends(ContentEnd.Overshoot);
        }
        else if (result.IsCompleted)
        {
            Ends(ContentEnd.Whole);
        }
        else if (result.IsCanceled && _asked != 0)
        {
            Ends((ContentEnd)_asked);
        }

        if (_hashing is not null)
        {
            _hashing.Begin(_current.Slice(_hashed));
            _hashed = _current.Length;
        }

        return new ReadResult(_current, isCanceled: false, isCompleted: _final);
    }

    /// <summary>Asked to leave: one last look, so that nothing the server has is lost.</summary>
    private ReadResult TakeWhatIsThere()
    {
        try
        {
            if (_inner.TryRead(out ReadResult result))
            {
                ReadResult given = Give(result);
                if (_final)
                {
                    return given;
                }
            }
            else
            {
                _innerIsOver = true;
            }

            Ends((ContentEnd)_asked);
            return Seen();
        }
        catch (Exception e)
        {
            return Broken(e);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a server throws while reading a body is the end of that body.")]
    private ReadResult Broken(Exception fault)
    {
        Fault = fault;
        _innerIsOver = true;
        Ends(_asked != 0 ? (ContentEnd)_asked : ContentEnd.Disconnected);
        return Seen();
    }

    private void EndMoment()
    {
        _isMomentOver = true;
        Wake();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a server throws from a request that is over says only that it is over.")]
    private void Wake()
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

    private ReadResult Seen() => new(_current, isCanceled: false, isCompleted: _final);

    private void Ends(ContentEnd reason)
    {
        if (_final)
        {
            return;
        }

        _final = true;
        End = reason;
        _pace.Dispose();
        if (reason != ContentEnd.Whole)
        {
            _ended();
        }
    }
}

using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Turns;

/// <summary>
/// One turn per upload. Whoever comes next asks the holder to leave and waits for it; those who wait are served in the order
/// in which they came, and each is asked to leave as soon as somebody waits behind it.
/// </summary>
internal sealed class TurnTable(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UploadKey, Line> _lines = [];

    public bool IsHeld(UploadKey key)
    {
        lock (_lock)
        {
            return _lines.ContainsKey(key);
        }
    }

    /// <summary>Whether somebody has the turn who leaves when asked.</summary>
    public bool IsHeldByLeaver(UploadKey key)
    {
        lock (_lock)
        {
            return _lines.TryGetValue(key, out Line? line) && !line.Holder.Stays;
        }
    }

    /// <summary>What the present holder has made durable, or 0 when nobody holds the turn.</summary>
    public long DurableOffset(UploadKey key)
    {
        lock (_lock)
        {
            return _lines.TryGetValue(key, out Line? line) ? line.Holder.DurableOffset : 0;
        }
    }

    /// <summary>The turn, if nobody has it.</summary>
    public Turn? TryTake(UploadKey key)
    {
        lock (_lock)
        {
            if (_lines.ContainsKey(key))
            {
                return null;
            }

            var turn = new Turn(this, key);
            _lines.Add(key, new Line(turn));
            return turn;
        }
    }

    /// <summary>The turn, after whoever has it was asked to leave; null when that takes longer than <paramref name="timeout"/>.</summary>
    public async ValueTask<Turn?> TakeAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken)
    {
        TaskCompletionSource<Turn> place;
        Turn holder;
        lock (_lock)
        {
            if (!_lines.TryGetValue(key, out Line? line))
            {
                var turn = new Turn(this, key);
                _lines.Add(key, new Line(turn));
                return turn;
            }

            // Who has left already takes over nobody: it may be its own client that has the turn by now.
            cancellationToken.ThrowIfCancellationRequested();
            place = new TaskCompletionSource<Turn>(TaskCreationOptions.RunContinuationsAsynchronously);
            line.Waiting.AddLast(place);
            holder = line.Holder;
        }

        holder.AskToLeave();
        try
        {
            return await place.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            LeaveLine(key, place);
            if (e is TimeoutException)
            {
                return null;
            }

            throw;
        }
    }

    internal void Release(Turn turn)
    {
        TaskCompletionSource<Turn>? next;
        Turn? successor = null;
        bool others = false;
        lock (_lock)
        {
            Line line = _lines[turn.Key];
            next = line.Waiting.First?.Value;
            if (next is null)
            {
                _lines.Remove(turn.Key);
            }
            else
            {
                line.Waiting.RemoveFirst();
                successor = line.Holder = new Turn(this, turn.Key);
                others = line.Waiting.Count > 0;
            }
        }

        if (successor is not null)
        {
            if (others)
            {
                successor.AskToLeave();
            }

            next!.SetResult(successor);
        }
    }

    private void LeaveLine(UploadKey key, TaskCompletionSource<Turn> place)
    {
        bool waiting;
        lock (_lock)
        {
            waiting = _lines.TryGetValue(key, out Line? line) && line.Waiting.Remove(place);
        }

        // The turn was passed on to the one who gave up: it has to go on from here.
        if (!waiting)
        {
            place.Task.ContinueWith(
                static granted => granted.Result.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default);
        }
    }

    private sealed class Line(Turn holder)
    {
        public Turn Holder { get; set; } = holder;

        public LinkedList<TaskCompletionSource<Turn>> Waiting { get; } = [];
    }
}

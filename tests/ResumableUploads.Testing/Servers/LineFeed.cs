namespace ResumableUploads.Testing.Servers;

/// <summary>Collects the lines of a stream and lets tests wait for a line.</summary>
internal sealed class LineFeed
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> Predicate, TaskCompletionSource<string?> Completion)> _waiting = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public event Action<string>? Added;

    /// <summary>Gets a task that completes at the end of the stream.</summary>
    public Task Ended => _ended.Task;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Adds a line, or ends the stream if the line is null.</summary>
    public void Add(string? line)
    {
        lock (_lock)
        {
            if (line is not null)
            {
                _lines.Add(line);
            }

            foreach ((Func<string, bool> _, TaskCompletionSource<string?> completion) in _waiting.Where(waiter => line is null || waiter.Predicate(line)))
            {
                completion.TrySetResult(line);
            }

            if (line is null)
            {
                _ended.TrySetResult();
                return;
            }
        }

        Added?.Invoke(line);
    }

    /// <summary>Returns the first matching line, or null if the stream ends without one.</summary>
    public Task<string?> WaitAsync(Func<string, bool> predicate)
    {
        lock (_lock)
        {
            if (_lines.Find(line => predicate(line)) is { } line)
            {
                return Task.FromResult<string?>(line);
            }

            var completion = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_ended.Task.IsCompleted)
            {
                completion.SetResult(null);
            }

            _waiting.Add((predicate, completion));
            return completion.Task;
        }
    }
}

namespace ResumableUploads.Testing.Servers;

/// <summary>Collects the lines of a stream and lets tests wait for a line.</summary>
internal sealed class LineFeed
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource<string?> Found)> _waiting = [];
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

            foreach ((Func<string, bool> _, TaskCompletionSource<string?> found) in _waiting.Where(one => line is null || one.Wanted(line)))
            {
                found.TrySetResult(line);
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
    public Task<string?> WaitAsync(Func<string, bool> wanted)
    {
        lock (_lock)
        {
            if (_lines.Find(line => wanted(line)) is { } line)
            {
                return Task.FromResult<string?>(line);
            }

            var found = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_ended.Task.IsCompleted)
            {
                found.SetResult(null);
            }

            _waiting.Add((wanted, found));
            return found.Task;
        }
    }
}

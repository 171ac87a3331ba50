using System.Runtime.ExceptionServices;

namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>
/// Runs a sync of one directory for all callers that wait for it. A caller that arrives during a sync waits for the next one, because the running sync may
/// have missed its change.
/// </summary>
/// <param name="sync">Syncs a path.</param>
internal sealed class GroupCommit(Action<string> sync)
{
    private readonly Dictionary<string, Commits> _commits = new(StringComparer.Ordinal);
    private int _waitingCount;

    /// <summary>Gets the number of paths that have callers.</summary>
    public int PathCount
    {
        get
        {
            lock (_commits)
            {
                return _commits.Count;
            }
        }
    }

    /// <summary>Gets the number of callers that wait for the end of a running sync.</summary>
    public int WaitingCount => Volatile.Read(ref _waitingCount);

    public void Run(string path)
    {
        Commits commits = Enter(path);
        try
        {
            Run(path, commits);
        }
        finally
        {
            Leave(path, commits);
        }
    }

    private Commits Enter(string path)
    {
        lock (_commits)
        {
            if (!_commits.TryGetValue(path, out Commits? commits))
            {
                _commits.Add(path, commits = new Commits());
            }

            commits.CallerCount++;
            return commits;
        }
    }

    private void Leave(string path, Commits commits)
    {
        lock (_commits)
        {
            if (--commits.CallerCount == 0)
            {
                _commits.Remove(path);
            }
        }
    }

    private void Run(string path, Commits commits)
    {
        Commit commit;
        lock (commits)
        {
            commit = commits.Next;
            Interlocked.Increment(ref _waitingCount);
            while (commits.IsRunning && !commit.IsDone)
            {
                Monitor.Wait(commits);
            }

            Interlocked.Decrement(ref _waitingCount);

            if (!commit.IsDone)
            {
                commits.IsRunning = true;
                commits.Next = new Commit();
            }
        }

        if (!commit.IsDone)
        {
            RunFirst(path, commits, commit);
        }

        commit.Failure?.Throw();
    }

    /// <summary>Runs a sync as the first of its callers.</summary>
    private void RunFirst(string path, Commits commits, Commit commit)
    {
        try
        {
            sync(path);
        }
        catch (Exception e)
        {
            commit.Failure = ExceptionDispatchInfo.Capture(e);
        }

        lock (commits)
        {
            commit.IsDone = true;
            commits.IsRunning = false;
            Monitor.PulseAll(commits);
        }
    }

    /// <summary>The syncs of one path.</summary>
    private sealed class Commits
    {
        public int CallerCount { get; set; }

        public bool IsRunning { get; set; }

        /// <summary>Gets or sets the sync that begins after the running one.</summary>
        public Commit Next { get; set; } = new();
    }

    private sealed class Commit
    {
        public bool IsDone { get; set; }

        public ExceptionDispatchInfo? Failure { get; set; }
    }
}

using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Takeover;

/// <summary>Tells when to look into a mailbox: in intervals, and at once if the system reports a new file.</summary>
internal sealed class MailboxSignal : IDisposable
{
    /// <summary>The time after which a request is found on a shared volume, which reports no files of other machines.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>How many times longer the interval is while no append is running.</summary>
    private const int IdleFactor = 10;

    private readonly SemaphoreSlim _signal = new(0);
    private readonly string _path;
    private readonly RunningAppends _appends;
    private readonly ITimer _timer;
    private FileSystemWatcher? _watcher;
    private volatile bool _isReported;

    public MailboxSignal(string path, RunningAppends appends, TimeProvider time)
    {
        _path = path;
        _appends = appends;
        _timer = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        for (int ticks = 0; !_isReported && (ticks == 0 || (_appends.IsEmpty && ticks < IdleFactor)); ticks++)
        {
            _timer.Change(PollInterval, Timeout.InfiniteTimeSpan);
            await _signal.WaitAsync(cancellationToken);
        }

        _isReported = false;
    }

    /// <summary>Lets the system report new files. Called only if there are other processes, because the number of watchers is limited.</summary>
    public void StartWatching()
    {
        if (_watcher is not null)
        {
            return;
        }

        try
        {
            _watcher = new FileSystemWatcher(_path) { NotifyFilter = NotifyFilters.FileName };
            _watcher.Created += (_, _) => OnReported();
            _watcher.Error += (_, _) => OnReported();
            _watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e) || e is PlatformNotSupportedException or ArgumentException)
        {
            // The system has no watchers left. The intervals remain.
            _watcher?.Dispose();
            _watcher = null;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _watcher?.Dispose();
        _signal.Dispose();
    }

    private void OnReported()
    {
        _isReported = true;
        Wake();
    }

    private void Wake()
    {
        try
        {
            if (_signal.CurrentCount == 0)
            {
                _signal.Release();
            }
        }
        catch (ObjectDisposedException)
        {
            // A last event after the end.
        }
    }
}

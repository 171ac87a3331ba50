namespace ResumableUploads.Engine.Quotas;

/// <summary>The stored uploads and running appends of one owner, by network. Callers must lock the instance for every access.</summary>
internal sealed class OwnerUsage
{
    private static readonly TimeSpan CountLifetime = TimeSpan.FromMinutes(10);
    private readonly Dictionary<string, int> _appends = new(StringComparer.Ordinal);
    private Dictionary<string, QuotaUsage> _networks = new(StringComparer.Ordinal);

    /// <summary>The changes since the running count began, or null if none is running.</summary>
    private Dictionary<string, QuotaUsage>? _changes;

    private long? _countedTimestamp;
    private bool _isOutdated;

    /// <summary>Gets the usage of all networks, including reservations.</summary>
    public QuotaUsage Total { get; private set; }

    public int TotalAppends { get; private set; }

    /// <summary>Gets the task of the running count, or <see langword="null"/> if none is running.</summary>
    public Task? CountTask { get; private set; }

    /// <summary>Gets or sets whether the instance was removed from the table and must no longer be used.</summary>
    public bool IsRemoved { get; set; }

    public bool IsCounted => _countedTimestamp is not null;

    public QuotaUsage GetUsage(string network) => _networks.GetValueOrDefault(network);

    public int GetAppends(string network) => _appends.GetValueOrDefault(network);

    public void Add(string network, QuotaUsage change)
    {
        if (_changes is not null)
        {
            _changes[network] = _changes.GetValueOrDefault(network) + change;
        }

        if (IsCounted)
        {
            SetUsage(network, GetUsage(network) + change);
        }
    }

    public void AddAppends(string network, int count)
    {
        TotalAppends += count;
        int appends = GetAppends(network) + count;
        if (appends == 0)
        {
            _appends.Remove(network);
        }
        else
        {
            _appends[network] = appends;
        }
    }

    public bool IsFresh(TimeProvider time) =>
        !_isOutdated && _countedTimestamp is { } timestamp && time.GetElapsedTime(timestamp) < CountLifetime;

    /// <summary>Requests another count, because the bytes that an append has stored are not known.</summary>
    public void MarkOutdated() => _isOutdated = true;

    public void StartCount(Task task)
    {
        CountTask = task;
        _changes = new(StringComparer.Ordinal);
        _isOutdated = false;
    }

    /// <summary>Ends the running count.</summary>
    /// <param name="counted">The counted usage by network, or null if the count failed.</param>
    /// <param name="time">The clock.</param>
    public void EndCount(Dictionary<string, QuotaUsage>? counted, TimeProvider time)
    {
        Dictionary<string, QuotaUsage> changes = _changes!;
        CountTask = null;
        _changes = null;
        if (counted is null)
        {
            _isOutdated = true;
            return;
        }

        _networks = counted;
        _countedTimestamp = time.GetTimestamp();
        Total = counted.Values.Aggregate(default(QuotaUsage), static (total, usage) => total + usage);

        // Some of the changes may have been counted too; the next count corrects that.
        foreach ((string network, QuotaUsage change) in changes)
        {
            Add(network, change);
        }
    }

    private void SetUsage(string network, QuotaUsage usage)
    {
        usage = usage.ClampToZero();
        Total = (Total + (usage - GetUsage(network))).ClampToZero();
        if (usage == default)
        {
            _networks.Remove(network);
        }
        else
        {
            _networks[network] = usage;
        }
    }
}

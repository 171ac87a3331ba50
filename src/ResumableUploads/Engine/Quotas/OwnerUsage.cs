namespace ResumableUploads.Engine.Quotas;

/// <summary>
/// The stored uploads, reservations and running appends of one owner, by network. Callers must lock the instance for every access.
/// </summary>
/// <remarks>
/// The usage is what the last count has found, with the changes since then, and the outstanding reservations. While an upload is listed, this process may change
/// it, and the listing may return its state from before or after the change. The usage is therefore never less than what is stored: a change that increases it
/// during a count is added to the result, and one that decreases it is not subtracted from a count that may not include the upload. The usage exceeds what
/// is stored by at most the changes during the last count. Such a count is inexact and is soon repeated.
/// </remarks>
internal sealed class OwnerUsage
{
    private static readonly TimeSpan CountLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan InexactCountLifetime = TimeSpan.FromMinutes(1);
    private static long _lastCountNumber;

    private readonly Dictionary<string, int> _appends = new(StringComparer.Ordinal);
    private readonly NetworkUsage _reserved = new();
    private readonly Dictionary<string, QuotaReservation> _reservations = new(StringComparer.Ordinal);
    private NetworkUsage _counted = new();

    /// <summary>The increases since the running count began, or null if none is running.</summary>
    private NetworkUsage? _increases;

    private int _reservationCount;
    private long? _countedTimestamp;
    private bool _hasUnreadable;
    private bool _isOutdated;
    private int _unknownResults;
    private int _unknownResultsBeforeCount;

    /// <summary>Gets the usage of all networks, including reservations.</summary>
    public QuotaUsage Total => _counted.Total + _reserved.Total;

    public int TotalAppends { get; private set; }

    /// <summary>Gets the task of the running count, or <see langword="null"/> if none is running.</summary>
    public Task? CountTask { get; private set; }

    /// <summary>Gets the number of the count that the usage is based on, or 0. No other count of any owner has it.</summary>
    public long CountNumber { get; private set; }

    /// <summary>Gets or sets whether the instance was removed from the table and must no longer be used.</summary>
    public bool IsRemoved { get; set; }

    public bool IsCounted => _countedTimestamp is not null;

    /// <summary>Gets whether uploads changed while they were counted, so that the usage may be more than what is stored.</summary>
    public bool IsInexact { get; private set; }

    /// <summary>Gets whether the store has failed since the last count, so that the usage may be much more than what is stored.</summary>
    public bool HasUnknownResults => _unknownResults > 0;

    public QuotaUsage GetUsage(string network) => _counted[network] + _reserved[network];

    public int GetAppends(string network) => _appends.GetValueOrDefault(network);

    public void BeginReservation(QuotaReservation reservation)
    {
        _reservationCount++;
        _reservations.TryAdd(reservation.Target.Key.Id, reservation);
        _reserved.Add(reservation.Target.Account.Network, reservation.Usage);
    }

    public void ExtendReservation(QuotaReservation reservation, long bytes) =>
        _reserved.Add(reservation.Target.Account.Network, new QuotaUsage(0, bytes));

    /// <summary>Replaces a reservation by the usage that is stored.</summary>
    /// <param name="reservation">The reservation.</param>
    /// <param name="stored">The stored usage, or null if it is unknown. The whole reservation is then assumed to be stored, and another count is requested.</param>
    public void EndReservation(QuotaReservation reservation, QuotaUsage? stored)
    {
        if (stored is null)
        {
            Invalidate();
        }

        _reservationCount--;
        _reserved.Add(reservation.Target.Account.Network, -reservation.Usage);
        if (_reservations.TryGetValue(reservation.Target.Key.Id, out QuotaReservation? current) && current == reservation)
        {
            _reservations.Remove(reservation.Target.Key.Id);
        }

        if ((stored ?? reservation.Usage) is var increase && increase != default)
        {
            Add(reservation.Target.Account.Network, increase);
        }
    }

    /// <summary>Requests another count, because a change of the store has an unknown result.</summary>
    public void Invalidate()
    {
        _unknownResults++;
        _isOutdated = true;
    }

    /// <summary>Adds the usage of a stored upload.</summary>
    public void Add(string network, QuotaUsage usage)
    {
        _counted.Add(network, usage);
        AddIncrease(network, usage);
    }

    /// <summary>Returns the usage of a listed upload without the part that is reserved for it, which <see cref="Total"/> includes already.</summary>
    public QuotaUsage GetCounted(string id, QuotaUsage listed) =>
        _reservations.TryGetValue(id, out QuotaReservation? reservation) ? QuotaUsage.Min(listed, reservation.Target.Stored) : listed;

    /// <summary>Subtracts the usage of a stored upload that was removed, moved or completed.</summary>
    /// <param name="network">The network of the upload.</param>
    /// <param name="usage">The usage.</param>
    /// <param name="countNumber">The <see cref="CountNumber"/> from before the change.</param>
    public void Release(string network, QuotaUsage usage, long countNumber)
    {
        if (countNumber == CountNumber)
        {
            _counted.Add(network, -usage);
        }

        IsInexact |= countNumber != CountNumber || CountTask is not null;
    }

    /// <summary>Ensures that a stored upload is counted whose key has changed. A listing in between may have missed it under both keys.</summary>
    /// <inheritdoc cref="Release" path="/param"/>
    public void Move(string network, QuotaUsage usage, long countNumber)
    {
        if (countNumber != CountNumber)
        {
            _counted.Add(network, usage);
            IsInexact = true;
        }

        AddIncrease(network, usage);
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
        !_isOutdated && _countedTimestamp is { } timestamp && time.GetElapsedTime(timestamp) < (IsInexact || _hasUnreadable ? InexactCountLifetime : CountLifetime);

    /// <summary>Returns whether the instance contains nothing that another count would not find.</summary>
    public bool IsIdle(TimeProvider time) => TotalAppends == 0 && _reservationCount == 0 && CountTask is null && !IsFresh(time);

    public void StartCount(Task task)
    {
        CountTask = task;
        _increases = new NetworkUsage();
        _isOutdated = false;
        IsInexact = false;
        _unknownResultsBeforeCount = _unknownResults;
    }

    /// <summary>Ends the running count.</summary>
    /// <param name="counted">The counted usage, or null if the count failed.</param>
    /// <param name="isExact">Whether every listed upload could be read.</param>
    /// <param name="time">The clock.</param>
    public void EndCount(NetworkUsage? counted, bool isExact, TimeProvider time)
    {
        NetworkUsage increases = _increases!;
        CountTask = null;
        _increases = null;
        if (counted is null)
        {
            _isOutdated = true;
            return;
        }

        _hasUnreadable = !isExact;
        _unknownResults -= _unknownResultsBeforeCount;
        _countedTimestamp = time.GetTimestamp();
        CountNumber = Interlocked.Increment(ref _lastCountNumber);
        _counted = counted;

        // Some of the increases may have been counted too; the next count corrects that.
        foreach ((string network, QuotaUsage increase) in increases.Networks)
        {
            _counted.Add(network, increase);
        }
    }

    private void AddIncrease(string network, QuotaUsage increase)
    {
        if (_increases is not null)
        {
            _increases.Add(network, increase);
            IsInexact = true;
        }
    }
}

using System.Globalization;
using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3.Model;
using ResumableUploads.S3.State;

namespace ResumableUploads.S3.Storage;

/// <summary>
/// The clock of the service, which is the same for all servers. The <c>Date</c> header of each response gives a range for it, because the header has whole seconds and its
/// response takes time. The range gets smaller with each response, and advances by the monotonic clock of this process. The time of a change is the end of the range and the
/// current time is its start, so that nothing expires early.
/// </summary>
internal sealed class ServiceClock : IDisposable
{
    private const string DateHeader = "Date";

    /// <summary>The part of a second that the header leaves out, and one more, because some servers renew the header only once per second.</summary>
    private static readonly TimeSpan HeaderPrecision = TimeSpan.FromSeconds(2);

    private readonly ObjectStorage _storage;
    private readonly string _prefix;
    private readonly TimeProvider _time;

    /// <summary>The client, or <see langword="null"/> if it does not show the headers of responses.</summary>
    private readonly AmazonServiceClient? _client;

    /// <summary>The header of the response to a request of <see cref="ReadAsync"/>.</summary>
    private readonly AsyncLocal<StrongBox<DateTimeOffset?>?> _requested = new();

    private readonly Lock _lock = new();
    private TimeRange? _range;
    private bool _hasNoHeader;

    public ServiceClock(ObjectStorage storage, ObjectKeys keys, TimeProvider time)
    {
        _storage = storage;
        _prefix = keys.SweepCheckpoint;
        _time = time;
        _client = storage.Client as AmazonServiceClient;
        if (_client is not null)
        {
            _client.AfterResponseEvent += OnResponse;
        }
    }

    /// <summary>Gets the earliest time that the clock of the service can show now. Until a response has arrived, that is the time of this machine.</summary>
    public DateTimeOffset GetUtcNow() => GetRange()?.Earliest ?? _time.GetUtcNow();

    /// <summary>Gets the latest time that the clock of the service can show now, for the time of a change.</summary>
    public DateTimeOffset GetChangeTime() => GetRange()?.Latest ?? _time.GetUtcNow();

    /// <summary>Reads the clock if no response has arrived yet.</summary>
    public async ValueTask EnsureReadAsync(CancellationToken cancellationToken)
    {
        if (GetRange() is null)
        {
            await ReadAsync(cancellationToken);
        }
    }

    /// <summary>Reads the clock with a request.</summary>
    /// <returns>The time in the middle of this call. The caller adds half of the time that the call took.</returns>
    public async ValueTask<DateTimeOffset> ReadAsync(CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        if (_client is not null && !_hasNoHeader)
        {
            await _storage.RunAsync(RequestAsync, $"list '{_prefix}'", isWrite: false, cancellationToken);
        }

        return GetUtcNow() - (_time.GetElapsedTime(start) / 2);
    }

    public void Dispose()
    {
        if (_client is not null)
        {
            _client.AfterResponseEvent -= OnResponse;
        }
    }

    private async Task<object?> RequestAsync(CancellationToken cancellationToken)
    {
        var header = new StrongBox<DateTimeOffset?>();
        _requested.Value = header;
        long start = _time.GetTimestamp();
        var request = new ListObjectsV2Request { BucketName = _storage.Bucket, Prefix = _prefix, MaxKeys = 1 };
        await _storage.BoundAsync(token => _storage.Client.ListObjectsV2Async(request, token), cancellationToken);
        if (header.Value is { } date)
        {
            Narrow(date, date + HeaderPrecision + _time.GetElapsedTime(start));
        }
        else
        {
            _hasNoHeader = true;
        }

        return null;
    }

    private void OnResponse(object sender, ResponseEventArgs e)
    {
        if (e is WebServiceResponseEventArgs { ResponseHeaders: { } headers } && headers.TryGetValue(DateHeader, out string? text)
            && DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date))
        {
            Narrow(date, latest: null);
            if (_requested.Value is { } requested)
            {
                requested.Value = date;
            }
        }
    }

    /// <summary>Moves both ends of the range into another range that was read now.</summary>
    /// <param name="earliest">The start of the other range.</param>
    /// <param name="latest">The end of the other range, or <see langword="null"/> if it is unknown because the request may have taken long.</param>
    private void Narrow(DateTimeOffset earliest, DateTimeOffset? latest)
    {
        lock (_lock)
        {
            TimeRange range = GetRange() ?? new TimeRange(earliest, earliest + HeaderPrecision, 0);
            DateTimeOffset end = latest ?? DateTimeOffset.MaxValue;
            _range = new TimeRange(Clamp(range.Earliest, earliest, end), Clamp(range.Latest, earliest, end), _time.GetTimestamp());
        }
    }

    /// <summary>Returns the range at the current time.</summary>
    private TimeRange? GetRange()
    {
        if (Volatile.Read(ref _range) is not { } range)
        {
            return null;
        }

        TimeSpan elapsed = _time.GetElapsedTime(range.Timestamp);
        return new TimeRange(range.Earliest + elapsed, range.Latest + elapsed, range.Timestamp);
    }

    private static DateTimeOffset Clamp(DateTimeOffset time, DateTimeOffset earliest, DateTimeOffset latest) => time < earliest ? earliest : time > latest ? latest : time;

    /// <param name="Earliest">The earliest time.</param>
    /// <param name="Latest">The latest time.</param>
    /// <param name="Timestamp">The timestamp of this process at which the range was read.</param>
    private sealed record TimeRange(DateTimeOffset Earliest, DateTimeOffset Latest, long Timestamp);
}

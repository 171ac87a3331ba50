using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Reliability;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine;

/// <summary>Builds the records of uploads, and decides when an upload expires and which engine it belongs to.</summary>
internal sealed class RecordPolicy
{
    private static readonly TimeSpan OrphanedAfter = TimeSpan.FromDays(1);
    private readonly EngineSettings _settings;
    private readonly TimeProvider _time;
    private readonly Lazy<ExpirationClock> _expirationClock;

    /// <summary>Creates a policy.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="time">The clock of the storage, or that of the system.</param>
    /// <param name="logger">The logger.</param>
    public RecordPolicy(EngineSettings settings, TimeProvider time, ILogger logger)
    {
        _settings = settings;
        _time = time;
        _expirationClock = new(() => new ExpirationClock(time, jump => Log.ClockJumped(logger, jump, ExpirationClock.ConfirmationTime)));
        if (time is not StoreClock { IsSynchronized: false })
        {
            // Jumps are detected from now on. The first reading of the clock of a storage is no jump.
            _ = _expirationClock.Value;
        }
    }

    /// <summary>Creates the record of a new upload.</summary>
    /// <param name="record">The engine's data.</param>
    /// <param name="encoded">The engine's data as bytes.</param>
    /// <param name="length">The length of the upload, or null if it is unknown.</param>
    public UploadRecord CreateReceiving(EngineRecord record, ReadOnlyMemory<byte> encoded, long? length) => new()
    {
        State = UploadState.Receiving,
        Length = length,
        SlidingExpiration = _settings.Expiration,
        AbsoluteExpiration = GetMaxExpiration(record),
        Data = encoded,
    };

    /// <summary>Returns the time at which an unfinished upload expires at the latest. Without its permit, no client can continue it.</summary>
    private DateTimeOffset? GetMaxExpiration(EngineRecord record)
    {
        DateTimeOffset? maxAge = _settings.MaxAge < DateTimeOffset.MaxValue - record.Created ? record.Created + _settings.MaxAge : null;
        return record.Permit is { } permit && !(maxAge < permit.Until) ? permit.Until : maxAge;
    }

    /// <summary>
    /// Creates the record of an upload that has all its bytes, but no final response. Its lifetime begins at the next attempt of its handler, so that another
    /// engine does not take it for orphaned before that.
    /// </summary>
    public UploadRecord CreateReceived(EngineRecord record, long offset) => new()
    {
        State = UploadState.Received,
        Length = offset,
        SlidingExpiration = Add(_settings.Expiration, GetRetryDelay(record)),
        AbsoluteExpiration = null,
        Data = record.ToBytes(),
    };

    /// <summary>Creates the record of a received upload with other data. An upload that stays expired still does.</summary>
    public UploadRecord UpdateReceived(EngineRecord record, UploadInfo info) =>
        IsExpiring(info) ? info.Record with { Data = record.ToBytes() } : CreateReceived(record, info.Offset);

    /// <summary>Creates the record of a received upload that stays expired although its record changes.</summary>
    public UploadRecord CreateExpiring(EngineRecord record, UploadInfo info) =>
        CreateReceived(record, info.Offset) with { SlidingExpiration = null, AbsoluteExpiration = info.Expires };

    /// <summary>Returns whether the notification of the application that a received upload expires has started.</summary>
    public static bool IsExpiring(UploadInfo info) => info is { State: UploadState.Received, Record.AbsoluteExpiration: not null };

    /// <summary>Creates the record of an upload that has a final response, or needs none.</summary>
    public UploadRecord CreateCompleted(EngineRecord record, long offset) => new()
    {
        State = UploadState.Completed,
        Length = offset,
        SlidingExpiration = GetRetention(record),
        AbsoluteExpiration = null,
        Data = record.ToBytes(),
    };

    /// <summary>Returns how long a completed upload is kept. The bearer of a permit can request the response until the permit ends.</summary>
    private TimeSpan? GetRetention(EngineRecord record) =>
        record.Permit is { } permit && permit.Until - _time.GetUtcNow() is var remaining && remaining > _settings.CompletedRetention ? remaining : _settings.CompletedRetention;

    /// <summary>
    /// Returns the record of a part with a lifetime that ends after that of a concatenation that needs the part, even if the copy of the part takes half of
    /// the expiration time.
    /// </summary>
    /// <returns>The record, or null if the part has such a lifetime already.</returns>
    public UploadRecord? ExtendPart(UploadInfo part, UploadRecord concatenation)
    {
        DateTimeOffset? absolute = part.Record.AbsoluteExpiration is { } own && concatenation.AbsoluteExpiration is { } other
            ? (own > other ? own : other)
            : null;
        UploadRecord extended = part.Record with { SlidingExpiration = Multiply(_settings.Expiration, 2), AbsoluteExpiration = absolute };
        DateTimeOffset? sufficient = GetExpirationAfterChange(extended with { SlidingExpiration = Multiply(_settings.Expiration, 1.5) });
        return part.Expires is null || part.Expires >= sufficient ? null : extended;
    }

    /// <summary>Returns the time at which an upload with this record expires if it is changed now, or null if it does not expire.</summary>
    public DateTimeOffset? GetExpirationAfterChange(UploadRecord record)
    {
        DateTimeOffset now = _time.GetUtcNow();
        DateTimeOffset? sliding = record.SlidingExpiration is { } span && span < DateTimeOffset.MaxValue - now ? now + span : null;
        return sliding is null || record.AbsoluteExpiration < sliding ? record.AbsoluteExpiration : sliding;
    }

    /// <summary>
    /// Returns whether the handler of a received upload has attempts left that need no request. Such an upload does not expire before the attempts are used up.
    /// </summary>
    public bool HasBackgroundAttempts(EngineRecord record) => record.Request is null && record.Handler?.IsExhausted(_settings.MaxHandlerAttempts) is not true;

    /// <summary>Returns the time until the next attempt that needs no request.</summary>
    private TimeSpan GetRetryDelay(EngineRecord record) =>
        HasBackgroundAttempts(record) && record.Handler?.RetryAt is { } retryAt && retryAt - _time.GetUtcNow() is var delay && delay > TimeSpan.Zero
            ? TimeSpan.FromTicks(Math.Min(delay.Ticks, Multiply(_settings.MaxHandlerRetryDelay, Backoff.MaxJitter).Ticks))
            : TimeSpan.Zero;

    private static TimeSpan Add(TimeSpan time, TimeSpan delay) => time < TimeSpan.MaxValue - delay ? time + delay : TimeSpan.MaxValue;

    private static TimeSpan Multiply(TimeSpan time, double factor) => time < TimeSpan.MaxValue / factor ? time * factor : TimeSpan.MaxValue;

    /// <summary>Gets the time by which uploads expire, which differs from that of the system after the clock has jumped forwards.</summary>
    public DateTimeOffset ExpirationTime => _expirationClock.Value.GetUtcNow();

    public bool IsExpired(UploadInfo info) => info.Expires is { } expires && expires <= ExpirationTime;

    /// <summary>Returns whether this engine, and not another one that shares the store, created the upload.</summary>
    public bool BelongsToThisEngine(UploadInfo info) => EngineRecord.From(info).EngineName is not { } engineName || _settings.GetEngineNames().Contains(engineName);

    /// <summary>
    /// Returns whether an upload expired at least a day ago and has not changed since, so that the engine that created it is considered gone. That engine
    /// changes the upload when it notifies the application.
    /// </summary>
    public bool IsOrphaned(UploadInfo info)
    {
        DateTimeOffset now = ExpirationTime;
        return info.Expires is { } expires && now - expires >= OrphanedAfter && now - info.LastModified >= OrphanedAfter;
    }
}

using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>Builds the records of uploads, and decides when an upload expires and which engine it belongs to.</summary>
internal sealed class RecordPolicy(EngineSettings settings, TimeProvider time)
{
    private static readonly TimeSpan OrphanedAfter = TimeSpan.FromDays(1);

    public UploadRecord CreateReceiving(EngineRecord record, long? length) => new()
    {
        State = UploadState.Receiving,
        Length = length,
        SlidingExpiration = settings.Expiration,
        AbsoluteExpiration = settings.MaxAge < DateTimeOffset.MaxValue - record.Created ? record.Created + settings.MaxAge : null,
        Data = record.ToBytes(),
    };

    /// <summary>Creates the record of an upload that has all its bytes, but no final response.</summary>
    public UploadRecord CreateReceived(EngineRecord record, long offset) => new()
    {
        State = UploadState.Received,
        Length = offset,
        SlidingExpiration = settings.Expiration,
        AbsoluteExpiration = null,
        Data = record.ToBytes(),
    };

    /// <summary>Creates the record of an upload that has a final response, or needs none.</summary>
    public UploadRecord CreateCompleted(EngineRecord record, long offset) => new()
    {
        State = UploadState.Completed,
        Length = offset,
        SlidingExpiration = settings.CompletedRetention,
        AbsoluteExpiration = null,
        Data = record.ToBytes(),
    };

    /// <summary>Returns the time at which an upload with this record expires if it is changed now, or null if it does not expire.</summary>
    public DateTimeOffset? GetExpirationAfterChange(UploadRecord record)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset? sliding = record.SlidingExpiration is { } span && span < DateTimeOffset.MaxValue - now ? now + span : null;
        return sliding is null || record.AbsoluteExpiration < sliding ? record.AbsoluteExpiration : sliding;
    }

    public bool IsExpired(UploadInfo info) => info.Expires is { } expires && expires <= time.GetUtcNow();

    /// <summary>Returns whether this engine, and not another one that shares the store, created the upload.</summary>
    public bool BelongsToThisEngine(UploadInfo info) => EngineRecord.From(info).EngineName is not { } engineName || engineName == settings.EngineName;

    /// <summary>Returns whether an upload expired at least a day ago, so that the engine that created it is considered gone.</summary>
    public bool IsOrphaned(UploadInfo info) => info.Expires is { } expires && time.GetUtcNow() - expires >= OrphanedAfter;
}

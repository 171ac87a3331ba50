using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>How the engine writes its records: which state is kept how long.</summary>
internal sealed class RecordPolicy(EngineSettings settings, TimeProvider time)
{
    private static readonly TimeSpan OrphanedAfter = TimeSpan.FromDays(1);

    /// <summary>The endpoint that this engine works for.</summary>
    public string EngineName => settings.EngineName;

    public UploadRecord CreateReceiving(EngineRecord record, long? length) => new()
    {
        State = UploadState.Receiving,
        Length = length,
        SlidingExpiration = settings.Expiration,
        AbsoluteExpiration = settings.MaxAge < DateTimeOffset.MaxValue - record.Created ? record.Created + settings.MaxAge : null,
        Data = record.ToBytes(),
    };

    /// <summary>All bytes are there, and the application has not answered yet.</summary>
    public UploadRecord CreateReceived(EngineRecord record, long offset) => new()
    {
        State = UploadState.Received,
        Length = offset,
        SlidingExpiration = settings.Expiration,
        AbsoluteExpiration = null,
        Data = record.ToBytes(),
    };

    /// <summary>The application has answered for good.</summary>
    public UploadRecord CreateCompleted(EngineRecord record, long offset) => new()
    {
        State = UploadState.Completed,
        Length = offset,
        SlidingExpiration = settings.CompletedRetention,
        AbsoluteExpiration = null,
        Data = record.ToBytes(),
    };

    /// <summary>When an upload with this record may be removed, if it changes now and not again.</summary>
    public DateTimeOffset? GetExpirationAfterChange(UploadRecord record)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset? sliding = record.SlidingExpiration is { } span && span < DateTimeOffset.MaxValue - now ? now + span : null;
        return sliding is null || record.AbsoluteExpiration < sliding ? record.AbsoluteExpiration : sliding;
    }

    public bool IsExpired(UploadInfo info) => info.Expires is { } expires && expires <= time.GetUtcNow();

    /// <summary>Whether the handlers of this endpoint are the ones for an upload, and not those of another that shares the store.</summary>
    public bool BelongsToThisEngine(UploadInfo info) => EngineRecord.From(info).EngineName is not { } endpoint || endpoint == settings.EngineName;

    /// <summary>Whether an upload expired so long ago that its own endpoint would have removed it, were it still there.</summary>
    public bool IsOrphaned(UploadInfo info) => info.Expires is { } expires && time.GetUtcNow() - expires >= OrphanedAfter;
}

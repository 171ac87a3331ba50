using System.Text.Json.Serialization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.S3.State;

/// <summary>The state of an upload: the content of its state object. Each write of it is conditional on the one that was read.</summary>
internal sealed record UploadDocument
{
    public const int CurrentFormat = 1;

    /// <summary>The difference up to which a later change has the time of the earlier one: another server knows the clock of the service less precisely.</summary>
    private static readonly TimeSpan MaxClockDifference = TimeSpan.FromMinutes(1);

    /// <summary>The number of write ids that a document keeps.</summary>
    private const int MaxRecentWrites = 8;

    [JsonPropertyName("format")]
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Gets the phase of the life of the upload.</summary>
    [JsonPropertyName("phase")]
    public UploadPhase Phase { get; init; }

    /// <summary>Gets the random name of the upload. It is never used again.</summary>
    [JsonPropertyName("nonce")]
    public required string Nonce { get; init; }

    /// <summary>Gets the number of changes of record and offset.</summary>
    [JsonPropertyName("generation")]
    public long Generation { get; init; }

    /// <summary>Gets the number of claims to write. Only the writer of the current epoch can name segments of that epoch.</summary>
    [JsonPropertyName("epoch")]
    public int Epoch { get; init; }

    /// <summary>Gets a value that indicates whether the writer of the current epoch has not ended its append.</summary>
    [JsonPropertyName("writer")]
    public bool HasWriter { get; init; }

    /// <summary>Gets the ids of the last writes, the newest first. They show whether a write without a clear answer has taken effect.</summary>
    [JsonPropertyName("writes")]
    public IReadOnlyList<string> Writes { get; init; } = [];

    /// <summary>Gets the folder of the objects of the upload. It differs from the key if the upload has replaced another one.</summary>
    [JsonPropertyName("folder")]
    public required string Folder { get; init; }

    [JsonPropertyName("offset")]
    public long Offset { get; init; }

    [JsonPropertyName("segments")]
    public IReadOnlyList<SegmentRun> Segments { get; init; } = [];

    [JsonPropertyName("state")]
    public UploadState State { get; init; }

    [JsonPropertyName("length")]
    public long? Length { get; init; }

    [JsonPropertyName("sliding")]
    public long? SlidingTicks { get; init; }

    [JsonPropertyName("absolute")]
    public DateTimeOffset? AbsoluteExpiration { get; init; }

    [JsonPropertyName("data")]
    public byte[] Data { get; init; } = [];

    [JsonPropertyName("modified")]
    public DateTimeOffset LastModified { get; init; }

    /// <summary>Gets the stored response, if it is short.</summary>
    [JsonPropertyName("response")]
    public byte[]? Response { get; init; }

    /// <summary>Gets the name of the object with the stored response, if it is long.</summary>
    [JsonPropertyName("responseObject")]
    public string? ResponseObject { get; init; }

    /// <summary>Gets the move of this upload to another key that has started, if any.</summary>
    [JsonPropertyName("move")]
    public PendingMove? Move { get; init; }

    /// <summary>Gets the opaque version of record and offset.</summary>
    [JsonIgnore]
    public string Version => $"{Nonce}-{Generation}-{Offset}";

    [JsonIgnore]
    public UploadRecord Record => new()
    {
        State = State,
        Length = Length,
        SlidingExpiration = SlidingTicks is { } ticks ? TimeSpan.FromTicks(ticks) : null,
        AbsoluteExpiration = AbsoluteExpiration,
        Data = Data,
    };

    public static UploadDocument Create(UploadKey key, UploadRecord record, DateTimeOffset now)
    {
        string nonce = RandomName.Create();
        return new UploadDocument { Nonce = nonce, Folder = $"{key.Owner}/{key.Id}/{nonce}" }.WithRecord(record, now);
    }

    /// <summary>Returns the document with another record, as a change of the upload.</summary>
    public UploadDocument WithRecord(UploadRecord record, DateTimeOffset now) => this with
    {
        Generation = Generation + 1,
        LastModified = GetNextTime(now),
        State = record.State,
        Length = record.Length,
        SlidingTicks = record.SlidingExpiration?.Ticks,
        AbsoluteExpiration = record.AbsoluteExpiration,
        Data = record.Data.ToArray(),
    };

    /// <summary>
    /// Returns the document with more content, as a change of the upload. Segments that the document names already are not added again: a write without an answer
    /// may have named them.
    /// </summary>
    /// <param name="segments">The segments.</param>
    /// <param name="start">The offset at which they start. Only the writer that adds them changes the offset.</param>
    /// <param name="now">The current time.</param>
    public UploadDocument WithSegments(IEnumerable<SegmentRun> segments, long start, DateTimeOffset now)
    {
        List<SegmentRun> all = [.. Segments];
        long offset = start;
        foreach (SegmentRun run in segments)
        {
            bool isNamed = offset < Offset;
            offset += run.TotalLength;
            if (isNamed)
            {
                continue;
            }

            if (all.Count > 0 && all[^1].TryExtend(run) is { } extended)
            {
                all[^1] = extended;
            }
            else
            {
                all.Add(run);
            }
        }

        return offset <= Offset ? this : this with { Segments = all, Offset = offset, Generation = Generation + 1, LastModified = GetNextTime(now) };
    }

    /// <summary>Returns the document with a new claim to write. The previous writer can no longer change the upload.</summary>
    public UploadDocument WithEpoch(bool hasWriter) => this with { Epoch = Epoch + 1, HasWriter = hasWriter };

    /// <summary>Returns the document without an append of a process that has died, or without a change if there is none.</summary>
    public UploadDocument WithoutDeadWriter() => HasWriter ? WithEpoch(hasWriter: false) : this;

    public UploadDocument WithWrite(string id) => this with { Writes = [id, .. Writes.Take(MaxRecentWrites - 1)] };

    public UploadInfo ToInfo(UploadKey key) => new()
    {
        Key = key,
        Version = Version,
        Offset = Offset,
        Record = Record,
        LastModified = LastModified,
    };

    /// <summary>Returns the time of the next change, which is not before that of the last one.</summary>
    private DateTimeOffset GetNextTime(DateTimeOffset now) => now < LastModified && LastModified - now < MaxClockDifference ? LastModified : now;
}

/// <summary>Specifies the phase of the life of an upload.</summary>
internal enum UploadPhase
{
    /// <summary>The upload exists.</summary>
    Live = 0,

    /// <summary>The content is being written; the upload does not exist yet.</summary>
    Creating = 1,

    /// <summary>The upload was deleted, and its objects are being removed. A new upload can replace the state.</summary>
    Deleted = 2,

    /// <summary>
    /// The state object is about to be deleted. Nothing replaces it until it is gone: a service may check the condition of a DELETE some time before the object goes, and
    /// would then delete the state of a new upload.
    /// </summary>
    Removing = 3,
}

/// <summary>A move of an upload to another key.</summary>
/// <param name="Owner">The owner of the other key.</param>
/// <param name="Id">The id of the other key.</param>
/// <param name="ETag">The entity tag that the state of the other upload must have.</param>
internal sealed record PendingMove(
    [property: JsonPropertyName("owner")] string Owner, [property: JsonPropertyName("id")] string Id, [property: JsonPropertyName("etag")] string ETag);

using System.Text.Json;
using System.Text.Json.Serialization;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Permits;

namespace ResumableUploads.Engine;

/// <summary>The engine's data in <see cref="UploadRecord.Data"/>, as JSON. The names of the JSON properties are a storage format and must not change.</summary>
internal sealed record EngineRecord
{
    public const int CurrentFormatVersion = 1;

    [JsonPropertyName("format")]
    public int FormatVersion { get; set; } = CurrentFormatVersion;

    /// <summary>Gets or sets the protocol that created the upload.</summary>
    public string Protocol { get; set; } = "";

    /// <summary>
    /// Gets or sets the name of the engine that created the upload. In the background, only that engine calls its handlers. Null in records of older versions.
    /// </summary>
    [JsonPropertyName("endpoint")]
    public string? EngineName { get; set; }

    /// <summary>Gets or sets the route pattern of the endpoint if <see cref="EngineName"/> does not contain it; otherwise null.</summary>
    public string? Route { get; set; }

    public DateTimeOffset Created { get; set; }

    /// <summary>Gets or sets the identifier of the activity that created the upload, if it was recorded; otherwise null.</summary>
    [JsonPropertyName("trace")]
    public string? TraceParent { get; set; }

    /// <summary>Gets or sets the network of the client that created the upload, if unrelated clients share its owner.</summary>
    public string? Network { get; set; }

    /// <summary>Gets or sets true if the upload is completed and its content is still in the store. Null in records of older versions.</summary>
    public bool? IsContentStored { get; set; }

    /// <summary>Gets or sets true if a response was stored when the upload was completed. Null in records of older versions.</summary>
    public bool? IsResponseStored { get; set; }

    /// <summary>Gets or sets the file name as sent by the client.</summary>
    public string? RawFileName { get; set; }

    /// <summary>Gets or sets the file name that the application chose instead, or null.</summary>
    public string? FileName { get; set; }

    public string? ContentType { get; set; }

    /// <summary>Gets or sets the content coding of the content, or null if it is not encoded.</summary>
    public string? ContentCoding { get; set; }

    /// <summary>Gets or sets the protocol's own metadata as sent by the client, which status responses repeat.</summary>
    [JsonPropertyName("tusMetadata")]
    public string? ProtocolMetadata { get; set; }

    /// <summary>Gets or sets whether the upload is complete as soon as it has all its bytes; null means false.</summary>
    public bool? CompletesAtLength { get; set; }

    /// <summary>Gets or sets the digest of the whole content that the client announced, as <c>algorithm=:base64:</c>.</summary>
    public string? ReprDigest { get; set; }

    /// <summary>Gets or sets the algorithm of the digest of the whole content that the client requested, or null.</summary>
    [JsonPropertyName("wantedDigest")]
    public string? RequestedDigestAlgorithm { get; set; }

    /// <summary>Gets or sets the digest that the client requested, or null until all bytes are stored.</summary>
    [JsonPropertyName("foundDigest")]
    public string? ComputedReprDigest { get; set; }

    /// <summary>Gets or sets the digests that were computed of all bytes, so that none is computed twice; otherwise null.</summary>
    public ContentDigests? ContentDigests { get; set; }

    /// <summary>Gets or sets the request that the application's endpoint receives after the upload, or null if there is no endpoint to run.</summary>
    public StoredRequest? Request { get; set; }

    /// <summary>Gets or sets the maximum size of the upload in bytes that its content type has, or null to apply only the limits of each request.</summary>
    public long? MaxUploadSize { get; set; }

    /// <summary>Gets or sets the upload's role in a concatenation, or null.</summary>
    [JsonPropertyName("join")]
    public ConcatenationInfo? Concatenation { get; set; }

    /// <summary>Gets or sets the permission that the upload was created with, or null if it needed none.</summary>
    public UploadPermit? Permit { get; set; }

    /// <summary>Gets or sets the state of the completion handler, or null if it has never run.</summary>
    public HandlerState? Handler { get; set; }

    /// <summary>Gets or sets the properties that this version does not know. They are written back unchanged.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? ExtensionData { get; set; }

    /// <summary>Returns whether an upload is a concatenation of others. Parses the JSON only if it contains the property.</summary>
    /// <exception cref="UploadStoreException">The record is damaged, or was written by a newer version.</exception>
    public static bool IsConcatenated(UploadInfo info) => info.Record.Data.Span.IndexOf("\"join\""u8) >= 0 && From(info).Concatenation is { IsPart: false };

    /// <summary>Returns the permission that an upload was created with, or null. Also null if the record is damaged.</summary>
    public static UploadPermit? FindPermit(UploadInfo info) =>
        info.Record.Data.Span.IndexOf("\"permit\""u8) >= 0 && !IsDamaged(info) ? From(info).Permit : null;

    /// <summary>Returns whether this record belongs to an upload, and not to an earlier one with the same key.</summary>
    /// <exception cref="UploadStoreException">The record of the upload is damaged, or was written by a newer version.</exception>
    public bool IsOf(UploadInfo info) => From(info).Created == Created;

    /// <summary>Returns whether the content of a completed upload is still in the store.</summary>
    public static bool HasStoredContent(UploadInfo info) => info.Record.Data.Span.IndexOf("\"isContentStored\":true"u8) >= 0;

    public ReadOnlyMemory<byte> ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, EngineRecordJsonContext.Default.EngineRecord);

    /// <summary>Reads the engine's data of an upload.</summary>
    /// <exception cref="UploadStoreException">The record is damaged, or was written by a newer version.</exception>
    public static EngineRecord From(UploadInfo info)
    {
        EngineRecord? record;
        try
        {
            record = JsonSerializer.Deserialize(info.Record.Data.Span, EngineRecordJsonContext.Default.EngineRecord);
        }
        catch (JsonException e)
        {
            throw new UploadStoreException(StoreFailure.Corrupt, $"The record of upload {info.Key} is not valid JSON.", info.Offset, e);
        }

        return record switch
        {
            null => throw new UploadStoreException(StoreFailure.Corrupt, $"The record of upload {info.Key} is empty.", info.Offset),
            { FormatVersion: > CurrentFormatVersion } => throw new UploadStoreException(
                StoreFailure.Unavailable, $"The record of upload {info.Key} was written by a newer version of ResumableUploads and is left unchanged.", info.Offset),
            _ => record,
        };
    }

    /// <summary>Returns whether the engine's data of an upload is damaged, so that no version can read it.</summary>
    public static bool IsDamaged(UploadInfo info)
    {
        try
        {
            From(info);
            return false;
        }
        catch (UploadStoreException e) when (e.Failure == StoreFailure.Corrupt)
        {
            return true;
        }
    }

    /// <summary>Returns whether a request may access an upload.</summary>
    /// <param name="info">The upload.</param>
    /// <param name="matches">The function of <see cref="AppendCommand.MatchesCreationRequest"/> for that request.</param>
    public static bool AllowsAccess(UploadInfo info, Func<StoredRequest, bool>? matches) =>
        matches is null || From(info).AllowsAccess(matches);

    /// <inheritdoc cref="AllowsAccess(UploadInfo, Func{StoredRequest, bool}?)"/>
    public bool AllowsAccess(Func<StoredRequest, bool>? matches) => matches is null || Request is not { } first || matches(first);
}

/// <summary>The state of the completion handler of a received upload.</summary>
/// <param name="Attempts">The number of runs that count against the limit: all except those ended by a server stop or requested before <paramref name="RetryAt"/>.</param>
/// <param name="LeasedBy">The process that runs the handler, or null.</param>
/// <param name="TotalRuns">The number of all runs.</param>
/// <param name="IsDeadLettered">Whether the handler must not run again even if it has attempts left.</param>
/// <param name="IsDeadLetterReported">Whether the application was notified that the upload is dead-lettered.</param>
/// <param name="RetryAt">The time of the next attempt after a failure, or null if it can be made at any time. For a dead-lettered upload, that of the notification.</param>
internal sealed record HandlerState(
    int Attempts,
    string? LeasedBy,
    [property: JsonPropertyName("runs")] int TotalRuns = 0,
    [property: JsonPropertyName("isParked")] bool IsDeadLettered = false,
    [property: JsonPropertyName("isTold")] bool IsDeadLetterReported = false,
    DateTimeOffset? RetryAt = null)
{
    /// <summary>Gets the number of failed notifications that the upload is dead-lettered, or null if none has failed.</summary>
    public int? DeadLetterAttempts { get; init; }

    /// <summary>Gets whether the client caused that the upload is dead-lettered.</summary>
    public bool? IsClientFault { get; init; }

    /// <summary>Gets the duration of the lease in the process that holds it. The configuration of another process may differ.</summary>
    public TimeSpan? LeaseDuration { get; init; }

    /// <summary>Gets the number of times the lease was taken or renewed. Each time, the record changes, which other processes observe.</summary>
    public int? Renewals { get; init; }

    /// <summary>Gets the timestamp at which this process took or last renewed the lease, or null in a state that was read from the store.</summary>
    [JsonIgnore]
    public long? LeaseTimestamp { get; init; }

    /// <summary>Returns whether the handler must not run again. That does not change if the application allows more attempts later.</summary>
    public bool IsExhausted(int maxAttempts) => IsDeadLettered || IsDeadLetterReported || DeadLetterAttempts > 0 || Attempts >= maxAttempts;
}

/// <summary>The digests that were computed of a content.</summary>
/// <param name="Length">The length of the content, in bytes.</param>
/// <param name="Values">The digests, as <c>algorithm=:base64:</c>.</param>
internal sealed record ContentDigests(long Length, List<string> Values);

/// <summary>The role of an upload in a concatenation.</summary>
/// <param name="RawValue">The header value as sent by the client, which status responses repeat.</param>
/// <param name="PartIds">The ids of the parts, which have the same owner, in order; null if the upload is itself a part.</param>
/// <param name="MaxUploadSize">The maximum size of the concatenation in bytes, to check parts whose length becomes known later.</param>
/// <param name="References">
/// The number of concatenations that were created with this part after it was received. Its increment changes the version of the part.
/// </param>
/// <param name="PartLengths">
/// The lengths of the parts in bytes, in order, once all of them are received; otherwise null. A part that was copied is not needed any more: its length
/// tells the offset at which the next part starts.
/// </param>
internal sealed record ConcatenationInfo(
    [property: JsonPropertyName("raw")] string RawValue,
    [property: JsonPropertyName("parts")] List<string>? PartIds,
    long? MaxUploadSize = null,
    int? References = null,
    List<long>? PartLengths = null)
{
    [JsonIgnore]
    public bool IsPart => PartIds is null;
}

/// <summary>The first request of an upload, as the application's endpoint receives it after all bytes are stored.</summary>
internal sealed record StoredRequest
{
    public required string Method { get; init; }

    public required string Path { get; init; }

    public string Query { get; init; } = "";

    public Dictionary<string, string> RouteValues { get; init; } = [];

    /// <summary>Gets the headers that describe the content, and the header of the antiforgery token.</summary>
    public Dictionary<string, string> Headers { get; init; } = [];

    /// <summary>Gets true if the antiforgery token in a header was valid when the upload was created; otherwise null.</summary>
    public bool? HasValidToken { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EngineRecord))]
internal sealed partial class EngineRecordJsonContext : JsonSerializerContext;

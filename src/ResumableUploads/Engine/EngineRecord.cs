using System.Text.Json;
using System.Text.Json.Serialization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>What the engine keeps in <see cref="UploadRecord.Data"/>: JSON with a format version.</summary>
internal sealed record EngineRecord
{
    public const int CurrentFormatVersion = 1;

    [JsonPropertyName("format")]
    public int FormatVersion { get; set; } = CurrentFormatVersion;

    /// <summary>The protocol that made the upload.</summary>
    public string Protocol { get; set; } = "";

    /// <summary>The endpoint that made the upload: in the background only its handlers are called. Null in older records.</summary>
    [JsonPropertyName("endpoint")]
    public string? EngineName { get; set; }

    public DateTimeOffset Created { get; set; }

    /// <summary>The client's name for the file, as it sent it.</summary>
    public string? RawFileName { get; set; }

    /// <summary>The name that the application gave in its place.</summary>
    public string? FileName { get; set; }

    public string? ContentType { get; set; }

    /// <summary>The metadata of tus as the client sent it: asked for the status, the server says the same text.</summary>
    [JsonPropertyName("tusMetadata")]
    public string? ProtocolMetadata { get; set; }

    /// <summary>A digest of the whole content that the client announced, as <c>algorithm=:base64:</c>.</summary>
    public string? ReprDigest { get; set; }

    /// <summary>With which algorithm the client wants a digest of the whole content, or null.</summary>
    [JsonPropertyName("wantedDigest")]
    public string? RequestedDigestAlgorithm { get; set; }

    /// <summary>That digest, once all bytes are there.</summary>
    [JsonPropertyName("foundDigest")]
    public string? ComputedReprDigest { get; set; }

    /// <summary>What the application's endpoint sees of the first request; null where none is to run.</summary>
    public StoredRequest? Request { get; set; }

    /// <summary>How the upload belongs to others; null for one that stands alone.</summary>
    [JsonPropertyName("join")]
    public ConcatenationInfo? Concatenation { get; set; }

    public HandlerState? Handler { get; set; }

    /// <summary>What this package does not know is written back as it was read.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? ExtensionData { get; set; }

    /// <summary>Whether an upload is put together from others. Most are not, and need not be read to see it.</summary>
    /// <exception cref="UploadStoreException">As <see cref="From"/> says.</exception>
    public static bool IsConcatenated(UploadInfo info) => info.Record.Data.Span.IndexOf("\"join\""u8) >= 0 && From(info).Concatenation is { IsPart: false };

    public ReadOnlyMemory<byte> ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, EngineRecordJsonContext.Default.EngineRecord);

    /// <summary>Reads the data of a record.</summary>
    /// <exception cref="UploadStoreException">A newer package wrote it, or it is damaged.</exception>
    public static EngineRecord From(UploadInfo info)
    {
        EngineRecord? record;
        try
        {
            record = JsonSerializer.Deserialize(info.Record.Data.Span, EngineRecordJsonContext.Default.EngineRecord);
        }
        catch (JsonException e)
        {
            throw new UploadStoreException(StoreFailure.Corrupt, $"The record of upload {info.Key} cannot be read.", info.Offset, e);
        }

        return record switch
        {
            null => throw new UploadStoreException(StoreFailure.Corrupt, $"The record of upload {info.Key} is empty.", info.Offset),
            { FormatVersion: > CurrentFormatVersion } => throw new UploadStoreException(
                StoreFailure.Unavailable, $"The record of upload {info.Key} was written by a newer version of this package; it is left as it is.", info.Offset),
            _ => record,
        };
    }
}

/// <summary>How far the application's handler has come with a received upload.</summary>
/// <param name="Attempts">How many starts count against the limit: all but those that a stop of the server ended.</param>
/// <param name="LeasedBy">Which process runs it now, or null.</param>
/// <param name="LeasedUntil">Until when nobody else may run it.</param>
/// <param name="TotalRuns">How often it was started at all.</param>
/// <param name="IsDeadLettered">Whether it is not to be started again, whatever the limit says.</param>
/// <param name="IsDeadLetterReported">Whether the application has heard that the upload was given up.</param>
internal sealed record HandlerState(
    int Attempts, string? LeasedBy, DateTimeOffset LeasedUntil, [property: JsonPropertyName("runs")] int TotalRuns = 0, [property: JsonPropertyName("isParked")] bool IsDeadLettered = false, [property: JsonPropertyName("isTold")] bool IsDeadLetterReported = false)
{
    /// <summary>Whether the handler is not to be started any more.</summary>
    public bool IsExhausted(int attempts) => IsDeadLettered || Attempts >= attempts;
}

/// <summary>That an upload is a part of something larger, or what joins the parts.</summary>
/// <param name="RawValue">What the client said, to be told again.</param>
/// <param name="PartIds">The ids of the parts under the same owner, in their order; null for a part.</param>
/// <param name="MaxUploadSize">The most bytes of the whole, for parts that tell their length later.</param>
internal sealed record ConcatenationInfo([property: JsonPropertyName("raw")] string RawValue, [property: JsonPropertyName("parts")] List<string>? PartIds, long? MaxUploadSize = null)
{
    [JsonIgnore]
    public bool IsPart => PartIds is null;
}

/// <summary>The first request of an upload, as the application's endpoint is to see it when all bytes are there.</summary>
internal sealed record StoredRequest
{
    public required string Method { get; init; }

    public required string Path { get; init; }

    public string Query { get; init; } = "";

    public Dictionary<string, string> RouteValues { get; init; } = [];

    /// <summary>The headers that speak of the content, and those that the application wants to see as they were.</summary>
    public Dictionary<string, string> Headers { get; init; } = [];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EngineRecord))]
internal sealed partial class EngineRecordJsonContext : JsonSerializerContext;

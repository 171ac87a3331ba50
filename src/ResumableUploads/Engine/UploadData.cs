using System.Text.Json;
using System.Text.Json.Serialization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>What the engine keeps in <see cref="UploadRecord.Data"/>: JSON with a format version.</summary>
internal sealed record UploadData
{
    public const int CurrentFormat = 1;

    public int Format { get; set; } = CurrentFormat;

    /// <summary>The protocol that made the upload.</summary>
    public string Protocol { get; set; } = "";

    /// <summary>The endpoint that made the upload: in the background only its handlers are called. Null in older records.</summary>
    public string? Endpoint { get; set; }

    public DateTimeOffset Created { get; set; }

    /// <summary>The client's name for the file, as it sent it.</summary>
    public string? RawFileName { get; set; }

    /// <summary>The name that the application gave in its place.</summary>
    public string? FileName { get; set; }

    public string? ContentType { get; set; }

    /// <summary>The metadata of tus as the client sent it: asked for the status, the server says the same text.</summary>
    public string? TusMetadata { get; set; }

    /// <summary>A digest of the whole content that the client announced, as <c>algorithm=:base64:</c>.</summary>
    public string? ReprDigest { get; set; }

    /// <summary>With which algorithm the client wants a digest of the whole content, or null.</summary>
    public string? WantedDigest { get; set; }

    /// <summary>That digest, once all bytes are there.</summary>
    public string? FoundDigest { get; set; }

    /// <summary>What the application's endpoint sees of the first request; null where none is to run.</summary>
    public RequestDetails? Request { get; set; }

    /// <summary>How the upload belongs to others; null for one that stands alone.</summary>
    public JoinDetails? Join { get; set; }

    public HandlerState? Handler { get; set; }

    /// <summary>What this package does not know is written back as it was read.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }

    /// <summary>Whether an upload is put together from others. Most are not, and need not be read to see it.</summary>
    /// <exception cref="UploadStoreException">As <see cref="From"/> says.</exception>
    public static bool IsJoined(UploadInfo info) => info.Record.Data.Span.IndexOf("\"join\""u8) >= 0 && From(info).Join is { IsPart: false };

    public ReadOnlyMemory<byte> ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, UploadDataJson.Default.UploadData);

    /// <summary>Reads the data of a record.</summary>
    /// <exception cref="UploadStoreException">A newer package wrote it, or it is damaged.</exception>
    public static UploadData From(UploadInfo info)
    {
        UploadData? data;
        try
        {
            data = JsonSerializer.Deserialize(info.Record.Data.Span, UploadDataJson.Default.UploadData);
        }
        catch (JsonException e)
        {
            throw new UploadStoreException(StoreFailure.Corrupt, $"The record of upload {info.Key} cannot be read.", info.Offset, e);
        }

        return data switch
        {
            null => throw new UploadStoreException(StoreFailure.Corrupt, $"The record of upload {info.Key} is empty.", info.Offset),
            { Format: > CurrentFormat } => throw new UploadStoreException(
                StoreFailure.Unavailable, $"The record of upload {info.Key} was written by a newer version of this package; it is left as it is.", info.Offset),
            _ => data,
        };
    }
}

/// <summary>How far the application's handler has come with a received upload.</summary>
/// <param name="Attempts">How many starts count against the limit: all but those that a stop of the server ended.</param>
/// <param name="LeasedBy">Which process runs it now, or null.</param>
/// <param name="LeasedUntil">Until when nobody else may run it.</param>
/// <param name="Runs">How often it was started at all.</param>
/// <param name="IsParked">Whether it is not to be started again, whatever the limit says.</param>
/// <param name="IsTold">Whether the application has heard that the upload was given up.</param>
internal sealed record HandlerState(
    int Attempts, string? LeasedBy, DateTimeOffset LeasedUntil, int Runs = 0, bool IsParked = false, bool IsTold = false)
{
    /// <summary>Whether the handler is not to be started any more.</summary>
    public bool HasEnough(int attempts) => IsParked || Attempts >= attempts;
}

/// <summary>That an upload is a part of something larger, or what joins the parts.</summary>
/// <param name="Raw">What the client said, to be told again.</param>
/// <param name="Parts">The ids of the parts under the same owner, in their order; null for a part.</param>
/// <param name="MaxUploadSize">The most bytes of the whole, for parts that tell their length later.</param>
internal sealed record JoinDetails(string Raw, List<string>? Parts, long? MaxUploadSize = null)
{
    [JsonIgnore]
    public bool IsPart => Parts is null;
}

/// <summary>The first request of an upload, as the application's endpoint is to see it when all bytes are there.</summary>
internal sealed record RequestDetails
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
[JsonSerializable(typeof(UploadData))]
internal sealed partial class UploadDataJson : JsonSerializerContext;

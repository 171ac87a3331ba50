using System.Text.Json.Serialization;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>The content of a ticket. The names of the JSON properties are short because the ticket is part of a URL.</summary>
internal sealed record TicketPayload
{
    public const int CurrentVersion = 1;

    [JsonPropertyName("v")]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Gets the id of the ticket, which has the format of an id in the URL of an upload.</summary>
    [JsonPropertyName("i")]
    public required string Id { get; init; }

    /// <summary>Gets the path with the path base, without a trailing slash.</summary>
    [JsonPropertyName("p")]
    public required string Path { get; init; }

    [JsonPropertyName("h")]
    public string? Host { get; init; }

    [JsonPropertyName("o")]
    public string? Owner { get; init; }

    [JsonPropertyName("m")]
    public long? MaxLength { get; init; }

    [JsonPropertyName("t")]
    public string[]? ContentTypes { get; init; }

    [JsonPropertyName("n")]
    public string? FileName { get; init; }

    [JsonPropertyName("e")]
    public required DateTimeOffset Expires { get; init; }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TicketPayload))]
internal sealed partial class TicketJsonContext : JsonSerializerContext;

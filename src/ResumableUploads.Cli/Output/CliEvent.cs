using System.Text.Json.Serialization;

namespace ResumableUploads.Cli.Output;

/// <summary>What has happened.</summary>
[JsonConverter(typeof(EventKindConverter))]
internal enum EventKind
{
    Started,
    Progress,
    Retry,
    Completed,
    Failed,
    Paused,
    Warning,
    Status,
    Canceled,
    Summary,
}

/// <summary>An event of a run, and a line of the JSON output. Members that do not apply are null.</summary>
internal sealed record CliEvent([property: JsonPropertyOrder(-3)] EventKind Event)
{
    /// <summary>Gets the path as on the command line.</summary>
    [JsonPropertyOrder(-2)]
    public string? Path { get; init; }

    /// <summary>Gets the size of the content in bytes.</summary>
    [JsonPropertyOrder(-1)]
    public long? Size { get; init; }

    /// <summary>Gets the number of bytes that were sent, or that the server has.</summary>
    public long? Offset { get; init; }

    /// <summary>Gets the state of an upload: <c>not-started</c>, <c>incomplete</c>, <c>uploading</c>, <c>complete</c>.</summary>
    public string? State { get; init; }

    /// <summary>Gets whether an earlier run had completed the upload.</summary>
    public bool? AlreadyComplete { get; init; }

    /// <summary>Gets the number of the retry.</summary>
    public int? Attempt { get; init; }

    /// <summary>Gets the seconds until the retry.</summary>
    public double? Delay { get; init; }

    /// <summary>Gets the status code of the response.</summary>
    public int? StatusCode { get; init; }

    /// <summary>Gets the reason of a failure.</summary>
    public string? Reason { get; init; }

    /// <summary>Gets the type of the problem that the server has reported.</summary>
    public string? ProblemType { get; init; }

    public string? Message { get; init; }

    /// <summary>Gets the <c>Location</c> of the response.</summary>
    public string? Location { get; init; }

    /// <summary>Gets the body of the response, if it is text.</summary>
    public string? Body { get; init; }

    public int? CompletedCount { get; init; }

    public int? FailedCount { get; init; }

    /// <summary>Gets the number of files that were not completed because the run was paused or stopped.</summary>
    public int? UnfinishedCount { get; init; }

    public int? ExitCode { get; init; }
}

internal sealed class EventKindConverter() : JsonStringEnumConverter<EventKind>(System.Text.Json.JsonNamingPolicy.KebabCaseLower);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CliEvent))]
[JsonSerializable(typeof(EventKind))]
internal sealed partial class CliJsonContext : JsonSerializerContext;

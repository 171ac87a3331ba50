using ResumableUploads.Client;

namespace ResumableUploads.Cli.CommandLine;

/// <summary>What the command does with the files.</summary>
internal enum CommandKind
{
    Upload,
    Status,
    Cancel,
}

/// <summary>The parsed arguments.</summary>
internal sealed record CommandSettings(CommandKind Kind, IReadOnlyList<string> Paths, Uri To)
{
    public const int DefaultConcurrency = 3;
    public const int DefaultRetries = 10;

    public UploadProtocol Protocol { get; init; }

    public required HeaderSources Headers { get; init; }

    public HttpMethod Method { get; init; } = HttpMethod.Post;

    public int Concurrency { get; init; } = DefaultConcurrency;

    public int? ChunkSize { get; init; }

    public UploadDigest Digest { get; init; }

    public int Retries { get; init; } = DefaultRetries;

    /// <summary>Gets the file name for the server, or null for the name of each file.</summary>
    public string? Name { get; init; }

    /// <summary>Gets the id of the upload, or null for the ids of the client.</summary>
    public string? Id { get; init; }

    public string? ContentType { get; init; }

    /// <summary>Gets the size of standard input, or null if it is not known.</summary>
    public long? Size { get; init; }

    /// <summary>Gets a value indicating whether the URL of an upload can have another host than the endpoint.</summary>
    public bool AllowOtherHosts { get; init; }

    public bool FollowLinks { get; init; }

    public OutputSettings Output { get; init; } = new();
}

/// <summary>How results are printed.</summary>
internal sealed record OutputSettings
{
    public bool Json { get; init; }

    public bool Quiet { get; init; }

    public bool NoColor { get; init; }
}

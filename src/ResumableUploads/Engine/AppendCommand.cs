using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Engine;

/// <summary>What makes an upload finished.</summary>
internal enum CompletionRule
{
    /// <summary>Reaching the upload length (tus; file-id pieces).</summary>
    AtLength,

    /// <summary>Reaching the upload length; where none is known, a body that arrived whole (file-id, F-6).</summary>
    AtLengthOrWholeBody,

    /// <summary>A body that arrived whole, because the client declared it the last one (IETF, <c>?1</c>).</summary>
    AtWholeBody,

    /// <summary>Nothing that this request does (IETF, <c>?0</c>).</summary>
    Never,
}

/// <summary>One append, as every protocol states it.</summary>
internal sealed record AppendCommand
{
    public required UploadKey Key { get; init; }

    /// <summary>How many bytes the client believes to be there.</summary>
    public required long Offset { get; init; }

    public required PipeReader Body { get; init; }

    /// <summary>The store's own stream that <see cref="Body"/> reads, where the bytes come from another upload.</summary>
    public Stream? Source { get; init; }

    /// <summary>How many bytes the body has, or null when that is not known before its end.</summary>
    public long? BodyLength { get; init; }

    /// <summary>The length of the whole content that this request states, or null.</summary>
    public long? UploadLength { get; init; }

    public required CompletionRule Completion { get; init; }

    /// <summary>The most bytes that this upload may have, where that is not what the settings say.</summary>
    public long? MaxUploadSize { get; init; }

    /// <summary>What to make when there is no such upload, or null when it has to be there.</summary>
    public UploadDetails? Creation { get; init; }

    /// <summary>Whether offset 0 with a body throws away what is there (file-id, F-4).</summary>
    public bool RestartsAtZero { get; init; }

    /// <summary>A digest of this body, or null.</summary>
    public BodyDigest? ContentDigest { get; init; }

    /// <summary>A digest of the whole content, or null.</summary>
    public Digest? ReprDigest { get; init; }
}

/// <summary>What a client says about a new upload.</summary>
/// <param name="Protocol">The protocol that makes it.</param>
/// <param name="RawFileName">The client's own text, unchecked.</param>
/// <param name="ContentType">The client's own text, unchecked.</param>
/// <param name="TusMetadata">The metadata of tus as the client sent it, to be told again.</param>
/// <param name="Request">What the application's endpoint is to see of this first request, where one is to run.</param>
internal sealed record UploadDetails(string Protocol, string? RawFileName, string? ContentType, RequestDetails? Request = null, string? TusMetadata = null)
{
    /// <summary>How the upload belongs to others, or null for one that stands alone.</summary>
    public JoinDetails? Join { get; init; }
}

using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Engine;

/// <summary>What makes an upload finished.</summary>
internal enum CompletionRule
{
    /// <summary>Reaching the upload length (tus; file-id pieces).</summary>
    AtLength,

    /// <summary>Reaching the upload length; where none is known, a body that arrived whole (file-id, F-6).</summary>
    AtLengthOrFullBody,

    /// <summary>A body that arrived whole, because the client declared it the last one (IETF, <c>?1</c>).</summary>
    AtFullBody,

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
    public Stream? SourceStream { get; init; }

    /// <summary>How many bytes the body has, or null when that is not known before its end.</summary>
    public long? BodyLength { get; init; }

    /// <summary>The length of the whole content that this request states, or null.</summary>
    public long? UploadLength { get; init; }

    public required CompletionRule CompletionRule { get; init; }

    /// <summary>The length of the whole content that follows from this body, where it is declared the last and its own length is known.</summary>
    public long? ImpliedLength => CompletionRule != CompletionRule.AtFullBody ? null
        : BodyLength > long.MaxValue - Offset ? long.MaxValue
        : Offset + BodyLength;

    /// <summary>The length of the whole content, stated or not.</summary>
    public long? KnownLength => UploadLength ?? ImpliedLength;

    /// <summary>The most bytes that this upload may have, where that is not what the settings say.</summary>
    public long? MaxUploadSize { get; init; }

    /// <summary>The most bytes that the body of this request may have, or null for no limit of its own.</summary>
    public long? MaxBodyLength { get; init; }

    /// <summary>What to make when there is no such upload, or null when it has to be there.</summary>
    public CreateCommand? CreateIfMissing { get; init; }

    /// <summary>Whether the server has just drawn the name at random: nobody has to ask the store for such an upload.</summary>
    public bool IsServerGeneratedKey { get; init; }

    /// <summary>Whether offset 0 with a body throws away what is there (file-id, F-4).</summary>
    public bool RestartAtOffsetZero { get; init; }

    /// <summary>A digest of this body, or null.</summary>
    public BodyDigest? ContentDigest { get; init; }

    /// <summary>A digest of the whole content, or null.</summary>
    public Digest? ReprDigest { get; init; }

    /// <summary>
    /// Whether the body counts whole or not at all when it has <see cref="ReprDigest"/> (file-id, F-10). Else the digest is kept, and the bytes
    /// are looked at when all of them are there.
    /// </summary>
    public bool VerifyReprDigestBeforeCommit { get; init; }

    /// <summary>With which algorithm the client wants a digest of the whole content, or null.</summary>
    public DigestAlgorithm? RequestedDigestAlgorithm { get; init; }

    /// <summary>Whether a body that goes past the upload length ends the upload too (IETF, R-18).</summary>
    public bool DeleteOnLengthExceeded { get; init; }

    /// <summary>Who wants to know how it goes on, while it does; null for nobody.</summary>
    public IAppendObserver? Observer { get; init; }

    /// <summary>Whether no byte of the body counts before all of it is verified.</summary>
    public bool IsStaged => ContentDigest is not null || (ReprDigest is not null && VerifyReprDigestBeforeCommit);
}

/// <summary>Hears of a running append, for a client that is told at once.</summary>
internal interface IAppendObserver
{
    /// <summary>The upload is made, and no byte of the body was read yet.</summary>
    ValueTask OnCreatedAsync(UploadInfo info);

    /// <summary>So many bytes are durable. It returns at once. Called from wherever the store is, one call at a time.</summary>
    void OnDurable(long durableOffset);

    /// <summary>Waits for what is still being told. Nothing comes after it.</summary>
    ValueTask FlushAsync();
}

/// <summary>What a client says about a new upload.</summary>
/// <param name="Protocol">The protocol that makes it.</param>
/// <param name="RawFileName">The client's own text, unchecked.</param>
/// <param name="ContentType">The client's own text, unchecked.</param>
/// <param name="ProtocolMetadata">The metadata of tus as the client sent it, to be told again.</param>
/// <param name="Request">What the application's endpoint is to see of this first request, where one is to run.</param>
internal sealed record CreateCommand(string Protocol, string? RawFileName, string? ContentType, StoredRequest? Request = null, string? ProtocolMetadata = null)
{
    /// <summary>How the upload belongs to others, or null for one that stands alone.</summary>
    public ConcatenationInfo? Concatenation { get; init; }
}

using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Engine;

/// <summary>A request to append bytes to an upload, in a form that is the same for all protocols.</summary>
internal sealed record AppendCommand
{
    public required UploadKey Key { get; init; }

    /// <summary>Gets the offset at which the client appends.</summary>
    public required long Offset { get; init; }

    public required PipeReader Body { get; init; }

    /// <summary>Gets the stream from the same store that <see cref="Body"/> reads, if the bytes come from another upload.</summary>
    public Stream? SourceStream { get; init; }

    /// <summary>Gets the length of the body in bytes, or null if it is not known in advance.</summary>
    public long? BodyLength { get; init; }

    /// <summary>Gets the length of the upload that the request states, or null.</summary>
    public long? UploadLength { get; init; }

    public required CompletionRule CompletionRule { get; init; }

    /// <summary>Gets the length of the upload that follows from the length of the body, if this is the last body.</summary>
    public long? ImpliedLength => CompletionRule != CompletionRule.AtFullBody ? null
        : BodyLength > long.MaxValue - Offset ? long.MaxValue
        : Offset + BodyLength;

    /// <summary>Gets the length of the upload, stated or implied.</summary>
    public long? KnownLength => UploadLength ?? ImpliedLength;

    /// <summary>Gets the maximum size of the upload in bytes, or null to use the one from the settings.</summary>
    public long? MaxUploadSize { get; init; }

    /// <summary>Gets the maximum length of this body in bytes, or null for no limit besides that of the upload.</summary>
    public long? MaxBodyLength { get; init; }

    /// <summary>Gets what to create if there is no such upload, or null if the upload must exist.</summary>
    public CreateCommand? CreateIfMissing { get; init; }

    /// <summary>Gets whether the server has generated the key for this request, so that no upload with it can exist.</summary>
    public bool IsServerGeneratedKey { get; init; }

    /// <summary>Gets whether a body at offset 0 replaces an unfinished upload.</summary>
    public bool RestartAtOffsetZero { get; init; }

    /// <summary>Gets a digest of this body, or null.</summary>
    public BodyDigest? ContentDigest { get; init; }

    /// <summary>Gets a digest of the whole content, or null.</summary>
    public Digest? ReprDigest { get; init; }

    /// <summary>
    /// Gets whether <see cref="ReprDigest"/> is verified before the body is committed, so that the body is stored completely or not at all. Otherwise
    /// it is verified when all bytes are stored.
    /// </summary>
    public bool VerifyReprDigestBeforeCommit { get; init; }

    /// <summary>Gets the algorithm of the digest of the whole content that the client requests, or null.</summary>
    public DigestAlgorithm? RequestedDigestAlgorithm { get; init; }

    /// <summary>Gets whether a body that goes beyond the length of the upload deletes the upload.</summary>
    public bool DeleteOnLengthExceeded { get; init; }

    /// <summary>Gets the observer of the append, or null.</summary>
    public IAppendObserver? Observer { get; init; }

    /// <summary>Gets whether the store must stage the body, because no byte counts before all of them are verified.</summary>
    public bool IsStaged => ContentDigest is not null || (ReprDigest is not null && VerifyReprDigestBeforeCommit);
}

/// <summary>What completes an upload.</summary>
internal enum CompletionRule
{
    /// <summary>Reaching the length of the upload.</summary>
    AtLength,

    /// <summary>Reaching the length of the upload, or the end of a body if the length is not known.</summary>
    AtLengthOrFullBody,

    /// <summary>The end of the body, because the client has declared it to be the last one.</summary>
    AtFullBody,

    /// <summary>Nothing in this request.</summary>
    Never,
}

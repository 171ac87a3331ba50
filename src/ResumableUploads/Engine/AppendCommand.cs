using System.Diagnostics;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Permits;

namespace ResumableUploads.Engine;

/// <summary>
/// A request to append bytes to an upload, in a form that is the same for all protocols. A protocol creates it, and the hosting layer completes it before it
/// reaches the engine, which never changes it.
/// </summary>
internal sealed record AppendCommand
{
    /// <summary>The value of <see cref="ContentCoding"/> for a body that is declared not to be encoded.</summary>
    public const string NoContentCoding = "identity";

    public required UploadKey Key { get; init; }

    /// <summary>Gets or sets the protocol and the endpoint of the request.</summary>
    public UploadOrigin Origin { get; set; }

    /// <summary>Gets the activity of the append, or null if it is not traced. The engine sets it.</summary>
    public Activity? Activity { get; init; }

    /// <summary>Gets or sets the network of the client if unrelated clients share its owner; otherwise null.</summary>
    public string? Network { get; set; }

    /// <summary>Gets the offset at which the client appends.</summary>
    public required long Offset { get; init; }

    public required PipeReader Body { get; init; }

    /// <summary>
    /// Gets or sets the reader of the connection that transports <see cref="Body"/>, or null if the body is not a plain part of it. After the client has closed
    /// the connection, it has the bytes that the server has received, but does not return.
    /// </summary>
    public PipeReader? Connection { get; set; }

    /// <summary>Gets the stream of the store that <see cref="Body"/> reads, or null if the bytes do not come from another upload.</summary>
    public Stream? SourceStream { get; init; }

    /// <summary>Gets the length of the body in bytes, or null if it is unknown.</summary>
    public long? BodyLength { get; init; }

    /// <summary>Gets the length of the upload that the request declares, in bytes, or null.</summary>
    public long? UploadLength { get; init; }

    public required CompletionRule CompletionRule { get; init; }

    /// <summary>Gets the length of the upload that is derived from the offset and the length of the last body, or null.</summary>
    public long? ImpliedLength => CompletionRule != CompletionRule.AtFullBody ? null
        : BodyLength > long.MaxValue - Offset ? long.MaxValue
        : Offset + BodyLength;

    /// <summary>Gets the declared or derived length of the upload, or null.</summary>
    public long? KnownLength => UploadLength ?? ImpliedLength;

    /// <summary>Gets or sets the maximum size of the upload, in bytes, or null to use <see cref="EngineSettings.MaxUploadSize"/>.</summary>
    public long? MaxUploadSize { get; set; }

    /// <summary>Gets the maximum length of this body, in bytes, or null if only the size of the upload is limited.</summary>
    public long? MaxBodyLength { get; init; }

    /// <summary>Gets or sets the description of the upload to create if it does not exist, or null if the upload must exist.</summary>
    public CreateCommand? CreateIfMissing { get; set; }

    /// <summary>
    /// Gets or sets a function that returns whether the request is one for the same endpoint of the application as the request that created the upload, or null if
    /// there is no endpoint to run.
    /// </summary>
    public Func<StoredRequest, bool>? MatchesCreationRequest { get; set; }

    /// <summary>Gets the content coding of the body, which must be that of the upload, or null if the request does not declare one.</summary>
    public string? ContentCoding { get; init; }

    /// <summary>Gets whether the server generated the key for this request. No upload with the key can exist then.</summary>
    public bool IsServerGeneratedKey { get; init; }

    /// <summary>Gets whether a body at offset 0 replaces an unfinished upload.</summary>
    public bool RestartAtOffsetZero { get; init; }

    /// <summary>Gets whether this request replaces an unfinished upload that has bytes, unless its body turns out to be empty.</summary>
    public bool StartsOver => RestartAtOffsetZero && this is { Permit: null, CreateIfMissing: not null, Offset: 0, BodyLength: not 0 };

    /// <summary>
    /// Gets or sets the permission that the request has instead of an owner's right to create uploads, or null. The key belongs to it, so a second upload is never created
    /// and an existing one never starts over.
    /// </summary>
    public UploadPermit? Permit { get; set; }

    /// <summary>Gets the existing upload that the new one replaces once it is accepted, or null. The engine sets it under the lock.</summary>
    public UploadInfo? Replaces { get; init; }

    /// <summary>Gets the expected digest of this body, or null.</summary>
    public BodyDigest? ContentDigest { get; init; }

    /// <summary>Gets the expected digest of the whole content, or null.</summary>
    public Digest? ReprDigest { get; init; }

    /// <summary>
    /// Gets whether <see cref="ReprDigest"/> is verified before the body is committed, so that the store keeps either all bytes of the body or none. Otherwise,
    /// it is verified after all bytes are stored.
    /// </summary>
    public bool VerifyReprDigestBeforeCommit { get; init; }

    /// <summary>Gets or sets the algorithm of the digest of the whole content that the client requests, or null.</summary>
    public DigestAlgorithm? RequestedDigestAlgorithm { get; set; }

    /// <summary>Gets whether the upload is deleted if the body exceeds the length of the upload.</summary>
    public bool DeleteOnLengthExceeded { get; init; }

    /// <summary>Gets or sets the observer of the append, or null.</summary>
    public IAppendObserver? Observer { get; set; }

    /// <summary>Gets the action that is called once when the body has ended, or null.</summary>
    public Action<BodyEndReason>? OnBodyEnded { get; init; }

    /// <summary>Returns whether the body has the content coding of an upload. An empty body has any.</summary>
    public bool HasContentCodingOf(EngineRecord record) =>
        BodyLength == 0 || ContentCoding is null || ContentCoding == (record.ContentCoding ?? NoContentCoding);

    /// <summary>Returns whether the command may change an upload that another request has created.</summary>
    public bool Matches(EngineRecord record) => record.AllowsAccess(MatchesCreationRequest);

    /// <summary>Gets whether the store must stage the body, because a digest must be verified before any byte is committed.</summary>
    public bool IsStaged => ContentDigest is not null || (ReprDigest is not null && VerifyReprDigestBeforeCommit);
}

/// <summary>Specifies the condition under which an append completes an upload.</summary>
internal enum CompletionRule
{
    /// <summary>The offset reaches the length of the upload.</summary>
    AtLength,

    /// <summary>The offset reaches the length of the upload or, if the length is unknown, the body ends.</summary>
    AtLengthOrFullBody,

    /// <summary>The body ends, because the client has declared that it is the last one.</summary>
    AtFullBody,

    /// <summary>This request does not complete the upload.</summary>
    Never,
}

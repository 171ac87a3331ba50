using Microsoft.OpenApi;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.OpenApi;

/// <summary>The headers of the protocols.</summary>
internal static class UploadHeaders
{
    private static readonly UploadHeader FileId = new(FileIdHeaders.FileId, "File-id protocol: the id of the upload, 1 to 4,096 bytes.");
    private static readonly UploadHeader StartByte = new(FileIdHeaders.StartByte, "File-id protocol: the offset of the first byte of the body. The default is 0.", JsonSchemaType.Integer);
    private static readonly UploadHeader TusResumable = new(TusHeaders.Resumable, "tus: the version of the protocol, 1.0.0.");
    private static readonly UploadHeader InteropVersion = new(IetfHeaders.Version, "IETF draft: the interop version, 3 to 10.", JsonSchemaType.Integer);
    private static readonly UploadHeader Complete = new(IetfHeaders.Complete, "IETF draft: whether the request ends the content, ?1 or ?0.");
    private static readonly UploadHeader Incomplete = new(IetfHeaders.Incomplete, "IETF draft, version 3: whether content follows the request, ?1 or ?0.");
    private static readonly UploadHeader Offset = new(TusHeaders.Offset, "tus and IETF draft: the offset of the first byte of the body.", JsonSchemaType.Integer);
    private static readonly UploadHeader Length = new(TusHeaders.Length, "tus and IETF draft: the length of the whole content, in bytes.", JsonSchemaType.Integer);
    private static readonly UploadHeader DeferLength = new(TusHeaders.DeferLength, "tus: 1 if the length is not known yet.");
    private static readonly UploadHeader Metadata = new(TusHeaders.Metadata, "tus: keys and base64 values, such as the file name.");
    private static readonly UploadHeader Concat = new(TusHeaders.Concat, "tus: 'partial', or 'final;' and the URLs of partial uploads.");
    private static readonly UploadHeader MethodOverride = new(TusHeaders.MethodOverride, "tus: the method of a POST request to an upload.");
    private static readonly UploadHeader Checksum = new(TusHeaders.Checksum, "tus: an algorithm and the base64 checksum of the body.");
    private static readonly UploadHeader ContentDigest = new(DigestHeaders.ContentDigest, "The digest of the body (RFC 9530).");
    private static readonly UploadHeader ReprDigest = new(DigestHeaders.ReprDigest, "The digest of the whole content (RFC 9530).");
    private static readonly UploadHeader Prefer = new(CommonHeaders.Prefer, "tus: return=representation requests the body of the response.");

    /// <summary>Gets the request headers of a status request, a download or a cancellation.</summary>
    public static UploadHeader[] Query { get; } = [FileId, TusResumable, InteropVersion];

    /// <summary>Gets the request headers of a request to the URL where uploads are created, with content.</summary>
    public static UploadHeader[] Creation { get; } =
    [
        .. Query, StartByte,
        new(FileIdHeaders.FileSize, "File-id protocol: the size of the whole file, in bytes.", JsonSchemaType.Integer),
        new(FileIdHeaders.FileName, "File-id protocol: the file name, as percent-encoded UTF-8."),
        new("Content-Range", "File-id protocol: the same as X-Start-Byte and X-File-Size."),
        Complete, Incomplete, Length, DeferLength, Metadata, Concat, Checksum, ContentDigest, ReprDigest,
        new(DigestHeaders.WantReprDigest, "Requests Repr-Digest in the response (RFC 9530)."),
        Prefer,
    ];

    /// <summary>Gets the request headers of an append to the URL of an upload.</summary>
    public static UploadHeader[] Append { get; } =
        [TusResumable, InteropVersion, Offset, Complete, Incomplete, Length, Checksum, ContentDigest, ReprDigest, MethodOverride, Prefer];

    /// <summary>Gets the response headers that every response of tus and of the IETF draft can have.</summary>
    public static UploadHeader[] Versions { get; } = [TusResumable, InteropVersion];

    /// <summary>Gets the response headers that describe the state of an upload.</summary>
    public static UploadHeader[] State { get; } =
    [
        .. Versions,
        new(FileIdHeaders.StartByte, "File-id protocol: the number of durable bytes.", JsonSchemaType.Integer),
        new(FileIdHeaders.UploadComplete, "File-id protocol: true if all bytes are durable."),
        new(TusHeaders.Offset, "tus and IETF draft: the number of durable bytes.", JsonSchemaType.Integer),
        new(IetfHeaders.Complete, "IETF draft: ?1 if the upload is completed."),
        new(IetfHeaders.Incomplete, "IETF draft, version 3: ?0 if the upload is completed."),
        Length, DeferLength, Metadata, Concat,
        new(TusHeaders.Expires, "tus: the time at which the upload expires."),
        new(IetfHeaders.Limit, "IETF draft: the limits of the server."),
        new(DigestHeaders.ReprDigest, "The digest of a complete upload, if the client requested it (RFC 9530)."),
    ];

    /// <summary>Gets the response headers of a request that creates or appends.</summary>
    public static UploadHeader[] Result { get; } =
    [
        .. State,
        new("Location", "tus and IETF draft: the URL of the upload."),
        new(ReplayedHeader.Name, "true if the upload was complete before the request, so that the response is the stored one."),
        new(CommonHeaders.PreferenceApplied, "tus: return=representation if the body is that of the application's response."),
        new(CommonHeaders.UploadResponse, "'lost' if the stored response of the application was lost."),
    ];

    /// <summary>Gets the response headers of an error.</summary>
    public static UploadHeader[] Error { get; } =
    [
        .. Result,
        new("Retry-After", "The seconds after which the client should retry.", JsonSchemaType.Integer),
        new("Allow", "The methods that the URL supports."),
        new(TusHeaders.SupportedVersions, "tus: the supported versions."),
        new(TusHeaders.MaxSize, "tus: the maximum size of an upload, in bytes.", JsonSchemaType.Integer),
        new("Accept-Patch", "IETF draft: the media type of an append."),
        new("Accept-Encoding", "The supported content codings."),
    ];

    /// <summary>Gets the response headers of OPTIONS.</summary>
    public static UploadHeader[] Discovery { get; } =
    [
        .. Versions,
        new("Allow", "The methods that the URL supports."),
        new(TusHeaders.SupportedVersions, "tus: the supported versions."),
        new(TusHeaders.Extension, "tus: the supported extensions."),
        new(TusHeaders.MaxSize, "tus: the maximum size of an upload, in bytes.", JsonSchemaType.Integer),
        new(TusHeaders.ChecksumAlgorithm, "tus: the supported checksum algorithms."),
        new(IetfHeaders.Limit, "IETF draft: the limits of the server."),
        new("Accept-Patch", "IETF draft: the media type of an append."),
    ];
}

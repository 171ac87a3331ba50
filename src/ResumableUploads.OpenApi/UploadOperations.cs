namespace ResumableUploads.OpenApi;

/// <summary>The operations of the protocols, at the URL where uploads are created and at the URL of an upload.</summary>
internal static class UploadOperations
{
    private const string Prefix = "Problem types (urn:resumable-uploads:NAME unless registered): ";

    private static readonly UploadResponseDescription[] AppendErrors =
    [
        Error(400, "bad-*, inconsistent-upload-length (registered), digest-mismatch, interrupted, taken-over (tus), antiforgery, part-missing, refused"),
        Error(401, "sign-in"),
        Error(403, "owner-unknown, joined, ticket-invalid, ticket-expired, ticket-url, ticket-used, ticket-concatenation"),
        Error(404, "not-found"),
        Error(405, "method-not-allowed"),
        Error(408, "idle, too-slow"),
        Error(409, "mismatching-upload-offset (registered), completed-upload (registered), different-content, different-request, upload-complete, taken-over"),
        Error(412, "tus-version"),
        Error(413, "too-large, append-too-large, upload-length-exceeded, owner-quota, digest-too-large"),
        Error(415, "content-type, content-coding, decoded-body, refused"),
        Error(429, "too-many-uploads, too-many-requests"),
        Error(431, "headers-too-large"),
        Error(460, "digest-mismatch (tus)"),
        Error(500, "parked"),
        Error(503, "shutting-down, busy, still-completing, storage-failed, handler-failed, interrupted, idle, too-slow"),
        Error(507, "storage-full"),
    ];

    private static readonly UploadResponseDescription[] QueryErrors =
    [
        Error(400, "bad-*"), Error(401, "sign-in"), Error(403, "owner-unknown, ticket-invalid, ticket-expired, ticket-url, ticket-used, ticket-concatenation"), Error(404, "not-found"), Error(412, "tus-version"),
        Error(423, "each transient problem (tus)"), Error(429, "too-many-followers"), Error(503, "busy, storage-failed, too-many-followers"),
    ];

    private static readonly UploadOperation Discovery = new(
        "Returns the capabilities of the upload protocols",
        UploadHeaders.Query,
        [new(200, "The capabilities of all protocols.", UploadHeaders.Discovery), new(204, "The capabilities of tus, for a request with Tus-Resumable.", UploadHeaders.Discovery)]);

    private static readonly UploadOperation Status = new(
        "Returns the current offset of an upload",
        UploadHeaders.Query,
        [
            new(200, "File-id protocol and tus: the state of the upload. With Accept: text/event-stream, if the app allows it: its progress as server-sent events.", UploadHeaders.State),
            new(204, "IETF draft: the state of the upload.", UploadHeaders.State),
            .. QueryErrors,
        ]);

    private static readonly UploadOperation Cancel = new(
        "Removes an upload with its content",
        UploadHeaders.Query,
        [new(204, "The upload was removed.", UploadHeaders.Versions), .. QueryErrors]);

    private static readonly UploadOperation Create = new(
        "Creates an upload, or appends to one of the file-id protocol",
        UploadHeaders.Creation,
        [
            new(200, "File-id protocol: the bytes are durable. After the last byte, the response of the application.", UploadHeaders.Result),
            new(201, "tus and IETF draft: the upload was created.", UploadHeaders.Result),
            .. AppendErrors,
        ],
        HasContent: true);

    private static readonly UploadOperation Append = new(
        "Appends to an upload",
        UploadHeaders.Append,
        [
            new(200, "The response of the application after the last byte.", UploadHeaders.Result),
            new(201, "IETF draft: the bytes are durable (version 6), or the upload is completed.", UploadHeaders.Result),
            new(204, "The bytes are durable.", UploadHeaders.Result),
            .. AppendErrors,
        ],
        HasContent: true);

    private static readonly UploadOperation Override = Append with { Summary = "tus: the same as the method in X-HTTP-Method-Override" };

    /// <summary>Gets the methods of a request with content at the URL where uploads are created.</summary>
    public static HttpMethod[] ContentMethods { get; } = [HttpMethod.Post, HttpMethod.Put, HttpMethod.Patch];

    /// <summary>Gets the operation of a request with content at the URL where uploads are created.</summary>
    public static UploadOperation Content => Create;

    /// <summary>Gets the other operations at the URL where uploads are created.</summary>
    public static Dictionary<HttpMethod, UploadOperation> Management { get; } = new()
    {
        [HttpMethod.Get] = Status, [HttpMethod.Head] = Status, [HttpMethod.Delete] = Cancel, [HttpMethod.Options] = Discovery,
    };

    /// <summary>Gets the operations at the URL of an upload.</summary>
    public static Dictionary<HttpMethod, UploadOperation> Upload { get; } = new()
    {
        [HttpMethod.Patch] = Append, [HttpMethod.Post] = Override, [HttpMethod.Get] = Status, [HttpMethod.Head] = Status, [HttpMethod.Delete] = Cancel, [HttpMethod.Options] = Discovery,
    };

    /// <summary>Gets the operations at a status path.</summary>
    public static Dictionary<HttpMethod, UploadOperation> StatusPath { get; } = new() { [HttpMethod.Get] = Status, [HttpMethod.Head] = Status };

    private static UploadResponseDescription Error(int status, string types) => new(status, $"{Prefix}{types}.", UploadHeaders.Error);
}

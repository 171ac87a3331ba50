using System.Buffers;
using System.Text.Json;

namespace ResumableUploads.Protocols;

/// <summary>The problem details of an error response (<see href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</see>).</summary>
/// <param name="Status">The HTTP status code.</param>
/// <param name="Type">The URI of the problem type. Must not change, because clients compare it.</param>
/// <param name="Title">A short summary of the problem type. Must be the same for every occurrence of the type.</param>
/// <param name="Detail">What the client should do next.</param>
internal sealed record Problem(int Status, string Type, string Title, string Detail)
{
    public const string ContentType = "application/problem+json";

    /// <summary>
    /// The problem type for a mismatching upload offset
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-7.1">draft -12, section 7.1</see>).
    /// </summary>
    public const string OffsetMismatchType = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";

    /// <summary>The title of <see cref="OffsetMismatchType"/> in the draft.</summary>
    public const string OffsetMismatchTitle = "Mismatching Upload Offset";

    /// <summary>
    /// The problem type for inconsistent upload length values
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-12#section-7.2">draft -12, section 7.2</see>).
    /// </summary>
    public const string LengthConflictType = "https://iana.org/assignments/http-problem-types#inconsistent-upload-length";

    /// <summary>The title of <see cref="LengthConflictType"/> in the draft.</summary>
    public const string LengthConflictTitle = "Inconsistent Upload Length Values";

    /// <summary>
    /// The problem type for an append to a completed upload. Used up to interop version 8
    /// (<see href="https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-resumable-upload-11#section-7.2">draft -11, section 7.2</see>).
    /// </summary>
    public const string CompletedUploadType = "https://iana.org/assignments/http-problem-types#completed-upload";

    /// <summary>The title of <see cref="CompletedUploadType"/> in the draft.</summary>
    public const string CompletedUploadTitle = "Upload Is Completed";

    private const string CustomTypePrefix = "urn:resumable-uploads:";

    /// <summary>Gets the current offset of the upload, in bytes (<c>expected-offset</c>), or null to omit it.</summary>
    public long? ExpectedOffset { get; init; }

    /// <summary>Gets the offset in the request, in bytes (<c>provided-offset</c>), or null to omit it.</summary>
    public long? ProvidedOffset { get; init; }

    /// <summary>
    /// Gets a value indicating whether a server limit caused the problem. Not serialized; responses of the IETF draft then include the limits.
    /// </summary>
    public bool IsLimitExceeded { get; init; }

    /// <summary>Returns the problem type <c>urn:resumable-uploads:{name}</c>.</summary>
    public static string CustomType(string name) => CustomTypePrefix + name;

    public ReadOnlyMemory<byte> ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, Type);
            writer.WriteString("title"u8, Title);
            writer.WriteNumber("status"u8, Status);
            writer.WriteString("detail"u8, Detail);
            if (ExpectedOffset is { } expected)
            {
                writer.WriteNumber("expected-offset"u8, expected);
            }

            if (ProvidedOffset is { } provided)
            {
                writer.WriteNumber("provided-offset"u8, provided);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    public HttpResponseData ToResponse(params IEnumerable<KeyValuePair<string, string>> headers) =>
        new(Status) { Headers = [new("Cache-Control", "no-store"), .. headers], ContentType = ContentType, Body = ToJson(), ProblemType = Type };
}

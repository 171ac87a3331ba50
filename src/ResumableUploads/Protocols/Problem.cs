using System.Buffers;
using System.Text.Json;

namespace ResumableUploads.Protocols;

/// <summary>An error response as defined by <see href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</see>.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Type">The problem type. Stable, because clients test it.</param>
/// <param name="Title">The name of the problem. The same for every occurrence.</param>
/// <param name="Detail">What the client should do next.</param>
internal sealed record Problem(int Status, string Type, string Title, string Detail)
{
    public const string ContentType = "application/problem+json";

    /// <summary>The registered type of a wrong offset (draft-ietf-httpbis-resumable-upload-12, section 7.1).</summary>
    public const string OffsetMismatchType = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";

    /// <summary>The registered type of contradictory lengths (draft-ietf-httpbis-resumable-upload-12, section 7.2).</summary>
    public const string LengthConflictType = "https://iana.org/assignments/http-problem-types#inconsistent-upload-length";

    /// <summary>The type of an append to a complete upload, up to interop version 8 (draft-ietf-httpbis-resumable-upload-11, section 7.2).</summary>
    public const string CompletedUploadType = "https://iana.org/assignments/http-problem-types#completed-upload";

    private const string CustomTypePrefix = "urn:resumable-uploads:";

    public long? ExpectedOffset { get; init; }

    public long? ProvidedOffset { get; init; }

    /// <summary>Gets a value indicating whether a limit of the server caused the problem. Not part of the JSON.</summary>
    public bool IsLimitExceeded { get; init; }

    /// <summary>Returns a problem type that is specific to this project.</summary>
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
        new(Status) { Headers = [new("Cache-Control", "no-store"), .. headers], ContentType = ContentType, Body = ToJson() };
}

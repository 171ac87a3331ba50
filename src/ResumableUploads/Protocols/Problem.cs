using System.Buffers;
using System.Text.Json;

namespace ResumableUploads.Protocols;

/// <summary>An error as RFC 9457 states it. The type is stable; the words may change.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Type">What a client may act on.</param>
/// <param name="Title">The kind of error, the same every time.</param>
/// <param name="Detail">What to do about it.</param>
internal sealed record Problem(int Status, string Type, string Title, string Detail)
{
    public const string ContentType = "application/problem+json";

    /// <summary>The registered type for a wrong offset (IETF resumable uploads, section "Problem Types").</summary>
    public const string OffsetMismatchType = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";

    /// <summary>The registered type for lengths that disagree.</summary>
    public const string LengthConflictType = "https://iana.org/assignments/http-problem-types#inconsistent-upload-length";

    /// <summary>The type that interop versions 6 to 8 of the IETF draft have for an append to a finished upload.</summary>
    public const string CompletedUploadType = "https://iana.org/assignments/http-problem-types#completed-upload";

    private const string CustomTypePrefix = "urn:resumable-uploads:";

    public long? ExpectedOffset { get; init; }

    public long? ProvidedOffset { get; init; }

    /// <summary>Whether one of the server's limits is the reason. Not a part of the problem itself.</summary>
    public bool IsLimitExceeded { get; init; }

    /// <summary>A type of our own.</summary>
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

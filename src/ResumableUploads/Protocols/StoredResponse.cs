using System.Buffers;
using System.Text.Json;

namespace ResumableUploads.Protocols;

/// <summary>The application's response to a completed upload, as it is stored and replayed in all protocols.</summary>
/// <param name="StatusCode">The HTTP status code.</param>
/// <param name="Headers">The stored headers, including <c>Content-Type</c>. A name may occur more than once.</param>
/// <param name="Body">The body. Empty if it exceeded the maximum size of stored responses.</param>
internal sealed record StoredResponse(int StatusCode, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body)
{
    public StoredResponse(int statusCode, string? contentType, ReadOnlyMemory<byte> body)
        : this(statusCode, contentType is null ? [] : [new("Content-Type", contentType)], body)
    {
    }

    public string? ContentType => Headers.FirstOrDefault(static header => header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Value;

    public ReadOnlyMemory<byte> ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(256 + (Body.Length * 4 / 3));
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("format"u8, 1);
            writer.WriteNumber("status"u8, StatusCode);
            writer.WriteStartArray("headers"u8);
            foreach ((string name, string value) in Headers)
            {
                writer.WriteStartArray();
                writer.WriteStringValue(name);
                writer.WriteStringValue(value);
                writer.WriteEndArray();
            }

            writer.WriteEndArray();
            writer.WriteBase64String("body"u8, Body.Span);
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    public static StoredResponse FromBytes(ReadOnlyMemory<byte> bytes)
    {
        using JsonDocument document = JsonDocument.Parse(bytes);
        JsonElement root = document.RootElement;
        return new StoredResponse(
            root.GetProperty("status"u8).GetInt32(),
            [.. root.GetProperty("headers"u8).EnumerateArray().Select(static header =>
                new KeyValuePair<string, string>(header[0].GetString()!, header[1].GetString()!))],
            root.GetProperty("body"u8).GetBytesFromBase64());
    }

    /// <summary>
    /// Returns whether a response with this status code is final. 401, 403, 407, 408, 423, 425, 429 and 5xx are not, because the same request may succeed
    /// later: the client may retry, which runs the handler again.
    /// </summary>
    public static bool IsFinal(int statusCode) => statusCode is < 500 and not (401 or 403 or 407 or 408 or 423 or 425 or 429);
}

using System.Buffers;
using System.Text.Json;

namespace ResumableUploads.Protocols;

/// <summary>The application's answer to a finished upload, as it is kept and sent again. Every protocol sends the same one.</summary>
/// <param name="StatusCode">The status.</param>
/// <param name="Headers">The headers that are kept, the content type among them. A name may be there more than once.</param>
/// <param name="Body">The body; empty where it was longer than what is kept.</param>
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

    /// <summary>Whether the answer may be given for good. 408, 425, 429 and 5xx say "later": the handler may be run again.</summary>
    public static bool IsFinal(int statusCode) => statusCode is < 500 and not (408 or 425 or 429);
}

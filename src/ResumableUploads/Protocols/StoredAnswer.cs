using System.Buffers;
using System.Text.Json;

namespace ResumableUploads.Protocols;

/// <summary>The application's answer to a finished upload, as it is kept and sent again. Every protocol sends the same one.</summary>
internal sealed record StoredAnswer(int StatusCode, string? ContentType, ReadOnlyMemory<byte> Body)
{
    public ReadOnlyMemory<byte> ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(128 + Body.Length);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("format"u8, 1);
            writer.WriteNumber("status"u8, StatusCode);
            if (ContentType is not null)
            {
                writer.WriteString("contentType"u8, ContentType);
            }

            writer.WriteBase64String("body"u8, Body.Span);
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    public static StoredAnswer From(ReadOnlyMemory<byte> bytes)
    {
        using JsonDocument document = JsonDocument.Parse(bytes);
        JsonElement root = document.RootElement;
        return new StoredAnswer(
            root.GetProperty("status"u8).GetInt32(),
            root.TryGetProperty("contentType"u8, out JsonElement type) ? type.GetString() : null,
            root.GetProperty("body"u8).GetBytesFromBase64());
    }

    /// <summary>Whether the answer may be given for good. 408, 425, 429 and 5xx say "later": the handler may be run again.</summary>
    public static bool IsFinal(int statusCode) => statusCode is < 500 and not (408 or 425 or 429);
}

using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>What was found where a record is kept.</summary>
/// <param name="Record">The record, when it is whole.</param>
/// <param name="Newer">The format version, when it is one that only a newer package knows.</param>
/// <param name="Damage">What is wrong, in the other cases.</param>
internal readonly record struct DecodedRecord(StoredRecord? Record, int? Newer, string? Damage);

/// <summary>
/// A record as bytes: one line of JSON, which ends with a digest of itself and names length and digest of what follows, and then the
/// caller's bytes as they are.
/// </summary>
internal static class RecordCodec
{
    public const int Format = 1;

    /// <summary>No record file is longer.</summary>
    public const int MaxLength = UploadRecord.MaxDataLength + (64 * 1024);

    private const int CheckLength = 16;
    private const string PowerLoss = "power-loss";
    private const string Process = "process";

    private static ReadOnlySpan<byte> Opening => "{\"format\":"u8;

    private static ReadOnlySpan<byte> CheckName => ",\"check\":\""u8;

    public static byte[] Encode(StoredRecord stored)
    {
        UploadRecord record = stored.Record;
        var line = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteNumber("format", Format);
            json.WriteString("nonce", stored.Nonce);
            json.WriteNumber("generation", stored.Generation);
            json.WriteNumber("writes", stored.Writes);
            json.WriteString("state", StateName(record.State));
            WriteNumber(json, "length", record.Length);
            WriteText(json, "slidingExpiration", record.SlidingExpiration?.ToString("c", CultureInfo.InvariantCulture));
            WriteText(json, "absoluteExpiration", record.AbsoluteExpiration?.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("changed", stored.Changed.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("durability", stored.Durability == Durability.PowerLoss ? PowerLoss : Process);
            json.WriteString("boot", stored.Boot);
            WriteNumber(json, "frozen", stored.Frozen);
            WriteNumber(json, "staging", stored.Staging);
            WriteText(json, "movedTo", stored.MovedTo);
            json.WriteNumber("dataLength", record.Data.Length);
            json.WriteString("dataSha256", Convert.ToHexStringLower(SHA256.HashData(record.Data.Span)));
            json.WriteEndObject();
        }

        // The digest goes in front of the closing brace, over all that stands before it.
        ReadOnlySpan<byte> body = line.WrittenSpan[..^1];
        byte[] bytes = new byte[body.Length + CheckName.Length + CheckLength + 3 + record.Data.Length];
        Span<byte> rest = bytes;
        Append(ref rest, body);
        Append(ref rest, CheckName);
        Append(ref rest, Check(body));
        Append(ref rest, "\"}\n"u8);
        record.Data.Span.CopyTo(rest);
        return bytes;
    }

    public static DecodedRecord Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return Damaged("it is empty");
        }

        if (!bytes.StartsWith(Opening) || !Utf8Parser.TryParse(bytes[Opening.Length..], out int format, out _) || format < 1)
        {
            return Damaged("it does not begin as a record does");
        }

        if (format > Format)
        {
            return new DecodedRecord(null, format, null);
        }

        int end = bytes.IndexOf((byte)'\n');
        int bodyLength = end - CheckName.Length - CheckLength - 2;
        if (end < 0 || bodyLength <= 0)
        {
            return Damaged("its first line is cut off");
        }

        ReadOnlySpan<byte> body = bytes[..bodyLength];
        ReadOnlySpan<byte> tail = bytes[bodyLength..end];
        if (!tail.StartsWith(CheckName) || !tail[CheckName.Length..].StartsWith(Check(body)) || !tail.EndsWith("\"}"u8))
        {
            return Damaged("its first line does not match its digest");
        }

        try
        {
            return Parse(bytes[..end], bytes[(end + 1)..]);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException or OverflowException)
        {
            return Damaged("its first line cannot be read: " + e.Message);
        }
    }

    private static DecodedRecord Parse(ReadOnlySpan<byte> line, ReadOnlySpan<byte> data)
    {
        var json = new Utf8JsonReader(line);
        using JsonDocument document = JsonDocument.ParseValue(ref json);
        JsonElement root = document.RootElement;
        if (root.GetProperty("dataLength").GetInt32() != data.Length)
        {
            return Damaged("its data have another length than its first line says");
        }

        if (root.GetProperty("dataSha256").GetString() != Convert.ToHexStringLower(SHA256.HashData(data)))
        {
            return Damaged("its data do not match their digest");
        }

        var record = new UploadRecord
        {
            State = StateOf(root.GetProperty("state").GetString()),
            Length = Number(root, "length"),
            SlidingExpiration = Text(root, "slidingExpiration") is { } span
                ? TimeSpan.ParseExact(span, "c", CultureInfo.InvariantCulture) : null,
            AbsoluteExpiration = Text(root, "absoluteExpiration") is { } time ? ParseTime(time) : null,
            Data = data.ToArray(),
        };
        return new DecodedRecord(
            new StoredRecord
            {
                Nonce = root.GetProperty("nonce").GetString() ?? throw new FormatException("no nonce"),
                Generation = root.GetProperty("generation").GetInt64(),
                Writes = root.GetProperty("writes").GetInt64(),
                Record = record,
                Changed = ParseTime(root.GetProperty("changed").GetString() ?? ""),
                Durability = root.GetProperty("durability").GetString() switch
                {
                    PowerLoss => Durability.PowerLoss,
                    Process => Durability.Process,
                    _ => throw new FormatException("an unknown durability"),
                },
                Boot = root.GetProperty("boot").GetString() ?? "",
                Frozen = Number(root, "frozen"),
                Staging = Number(root, "staging"),
                MovedTo = Text(root, "movedTo"),
            },
            null,
            null);
    }

    private static DecodedRecord Damaged(string reason) => new(null, null, reason);

    private static byte[] Check(ReadOnlySpan<byte> body) =>
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, CheckLength / 2)));

    private static void Append(ref Span<byte> rest, ReadOnlySpan<byte> part)
    {
        part.CopyTo(rest);
        rest = rest[part.Length..];
    }

    private static string StateName(UploadState state) => state switch
    {
        UploadState.Receiving => "receiving",
        UploadState.Received => "received",
        UploadState.Completed => "completed",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    private static UploadState StateOf(string? name) => name switch
    {
        "receiving" => UploadState.Receiving,
        "received" => UploadState.Received,
        "completed" => UploadState.Completed,
        _ => throw new FormatException("an unknown state"),
    };

    private static DateTimeOffset ParseTime(string text) =>
        DateTimeOffset.ParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);

    private static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static void WriteText(Utf8JsonWriter json, string name, string? value) => json.WriteString(name, value);

    private static long? Number(JsonElement root, string name) =>
        root.GetProperty(name) is { ValueKind: not JsonValueKind.Null } value ? value.GetInt64() : null;

    private static string? Text(JsonElement root, string name) => root.GetProperty(name).GetString();
}

using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
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

    /// <summary>One of each for a thread, because a record is encoded and written in one go.</summary>
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _line;

    [ThreadStatic]
    private static Utf8JsonWriter? _json;

    private static ReadOnlySpan<byte> Opening => "{\"format\":"u8;

    private static ReadOnlySpan<byte> CheckName => ",\"check\":\""u8;

    /// <summary>The bytes of a record, which are there until the same thread encodes another.</summary>
    public static ReadOnlyMemory<byte> Encode(StoredRecord stored)
    {
        UploadRecord record = stored.Record;
        ArrayBufferWriter<byte> line = _line ??= new ArrayBufferWriter<byte>(1024);
        line.ResetWrittenCount();
        Utf8JsonWriter json = _json ??= new Utf8JsonWriter(line);
        json.Reset(line);
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
        json.WriteString("dataSha256"u8, Hex(record.Data.Span, stackalloc byte[2 * SHA256.HashSizeInBytes]));
        json.Flush();

        // The digest goes in front of the closing brace, over all that stands before it.
        ReadOnlySpan<byte> check = Hex(line.WrittenSpan, stackalloc byte[CheckLength]);
        line.Write(CheckName);
        line.Write(check);
        line.Write("\"}\n"u8);
        line.Write(record.Data.Span);
        return line.WrittenMemory;
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
        if (!tail.StartsWith(CheckName) || !tail[CheckName.Length..].StartsWith(Hex(body, stackalloc byte[CheckLength])) || !tail.EndsWith("\"}"u8))
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
        var fields = new RecordFields(line);
        var stored = new StoredRecord
        {
            Nonce = fields.Text("nonce"u8) ?? throw new FormatException("no nonce"),
            Generation = fields.Number("generation"u8) ?? throw new FormatException("no generation"),
            Writes = fields.Number("writes"u8) ?? throw new FormatException("no count of writes"),
            Record = new UploadRecord
            {
                State = StateOf(fields.Text("state"u8)),
                Length = fields.Number("length"u8),
                SlidingExpiration = fields.Text("slidingExpiration"u8) is { } span
                    ? TimeSpan.ParseExact(span, "c", CultureInfo.InvariantCulture) : null,
                AbsoluteExpiration = fields.Text("absoluteExpiration"u8) is { } time ? ParseTime(time) : null,
                Data = data.ToArray(),
            },
            Changed = ParseTime(fields.Text("changed"u8) ?? ""),
            Durability = fields.Text("durability"u8) switch
            {
                PowerLoss => Durability.PowerLoss,
                Process => Durability.Process,
                _ => throw new FormatException("an unknown durability"),
            },
            Boot = fields.Text("boot"u8) ?? "",
            Frozen = fields.Number("frozen"u8),
            Staging = fields.Number("staging"u8),
            MovedTo = fields.Text("movedTo"u8),
        };
        return fields.Number("dataLength"u8) != data.Length ? Damaged("its data have another length than its first line says")
            : !fields.IsText("dataSha256"u8, Hex(data, stackalloc byte[2 * SHA256.HashSizeInBytes])) ? Damaged("its data do not match their digest")
            : new DecodedRecord(stored, null, null);
    }

    private static DecodedRecord Damaged(string reason) => new(null, null, reason);

    /// <summary>The beginning of a SHA-256 as hex digits, as many as there is room for.</summary>
    private static Span<byte> Hex(scoped ReadOnlySpan<byte> bytes, Span<byte> digits)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        Convert.TryToHexStringLower(digest[..(digits.Length / 2)], digits, out _);
        return digits;
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
}

using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>The result of decoding a record file. One of the three values is set.</summary>
/// <param name="Record">The record, or null if it is not valid.</param>
/// <param name="NewerFormat">The format version of the file if only a newer version of the package can read it; otherwise, null.</param>
/// <param name="DamageReason">A description of the damage, or null if the record is not damaged.</param>
internal readonly record struct RecordDecodeResult(StoredRecord? Record, int? NewerFormat, string? DamageReason);

/// <summary>
/// Encodes and decodes record files. A file contains one line of JSON, followed by the caller's data and by the response of the completion handler, if there
/// is one. The line contains the lengths and digests of both, and ends with a digest of the line. Further records can follow; the last complete one counts.
/// </summary>
internal static class RecordCodec
{
    /// <summary>
    /// The newest format version, of records that others can follow. A record that none can follow has version 1, or 2 if it contains a response, which earlier
    /// builds can read.
    /// </summary>
    public const int FormatVersion = 3;

    /// <summary>The maximum length of a record file in bytes.</summary>
    public const int MaxLength = UploadRecord.MaxDataLength + MaxResponseLength + (64 * 1024);

    /// <summary>The maximum length in bytes of a response in a record. A longer one has a file of its own, because a record is read with each status request.</summary>
    public const int MaxResponseLength = 16 * 1024;

    private const int DigestLength = 16;

    /// <summary>The maximum length, in bytes, of a time or a duration.</summary>
    private const int MaxFormattedLength = 64;

    private const string PowerLoss = "power-loss";
    private const string Process = "process";

    /// <summary>Reused by each thread, because a record is encoded and written without interruption.</summary>
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _line;

    [ThreadStatic]
    private static Utf8JsonWriter? _json;

    private static ReadOnlySpan<byte> Prefix => "{\"format\":"u8;

    private static ReadOnlySpan<byte> AppendablePrefix => "{\"format\":3,\"nonce\":\""u8;

    private static ReadOnlySpan<byte> CopiedPropertyName => "copied"u8;

    private static ReadOnlySpan<byte> ResponseFilePropertyName => "responseFile"u8;

    private static ReadOnlySpan<byte> ResponseLengthPropertyName => "responseLength"u8;

    private static ReadOnlySpan<byte> DigestPropertyName => ",\"check\":\""u8;

    /// <summary>Encodes a record. The result is valid until the same thread encodes another one.</summary>
    public static ReadOnlyMemory<byte> Encode(StoredRecord stored)
    {
        UploadRecord record = stored.Record;
        ArrayBufferWriter<byte> line = _line ??= new ArrayBufferWriter<byte>(1024);
        line.ResetWrittenCount();
        Utf8JsonWriter json = _json ??= new Utf8JsonWriter(line);
        json.Reset(line);
        json.WriteStartObject();
        json.WriteNumber("format", stored.IsAppendable ? FormatVersion : stored.Response is null ? 1 : 2);
        json.WriteString("nonce", stored.Nonce);
        json.WriteNumber("generation", stored.Generation);
        json.WriteNumber("writes", stored.WriteCount);
        json.WriteString("state", FormatState(record.State));
        WriteNumber(json, "length", record.Length);
        WriteFormatted(json, "slidingExpiration", record.SlidingExpiration, "c");
        WriteFormatted(json, "absoluteExpiration", record.AbsoluteExpiration, "O");
        WriteFormatted<DateTime>(json, "changed", stored.LastUpdated.UtcDateTime, "O");
        json.WriteString("durability", stored.Durability == Durability.PowerLoss ? PowerLoss : Process);
        json.WriteString("boot", stored.CreationBootId);
        WriteNumber(json, "frozen", stored.FinalOffset);
        WriteNumber(json, "staging", stored.StagingOffset);
        WriteString(json, "movedTo", stored.MovedTo);
        if (stored.IsCopied)
        {
            json.WriteBoolean(CopiedPropertyName, true);
        }

        if (HasResponseFileField(stored))
        {
            json.WriteString(ResponseFilePropertyName, stored.ResponseFileName);
        }

        json.WriteNumber("dataLength", record.Data.Length);
        json.WriteString("dataSha256"u8, HashToHex(record.Data.Span, stackalloc byte[2 * SHA256.HashSizeInBytes]));
        if (stored.Response is { } response)
        {
            json.WriteNumber(ResponseLengthPropertyName, response.Length);
            json.WriteString("responseSha256"u8, HashToHex(response.Span, stackalloc byte[2 * SHA256.HashSizeInBytes]));
        }

        json.Flush();

        // The digest covers everything before it and is inserted before the closing brace.
        ReadOnlySpan<byte> check = HashToHex(line.WrittenSpan, stackalloc byte[DigestLength]);
        line.Write(DigestPropertyName);
        line.Write(check);
        line.Write("\"}\n"u8);
        line.Write(record.Data.Span);
        if (stored.Response is { } bytes)
        {
            line.Write(bytes.Span);
        }

        return line.WrittenMemory;
    }

    /// <summary>Decodes the last complete record of a file.</summary>
    public static RecordDecodeResult Decode(ReadOnlySpan<byte> bytes)
    {
        RecordDecodeResult result = Decode(bytes, start: 0);
        while (result.Record is { EndPosition: > 0 } record && record.EndPosition < bytes.Length)
        {
            RecordDecodeResult next = Decode(bytes, record.EndPosition);
            if (next.NewerFormat is null && (next.Record?.Nonce != record.Nonce || next.Record.WriteCount <= record.WriteCount))
            {
                // The writer was killed, or is still writing.
                break;
            }

            result = next;
        }

        return result;
    }

    /// <summary>Returns whether a file begins with an appendable record that has the nonce.</summary>
    public static bool IsAppendable(ReadOnlySpan<byte> bytes, string nonce) =>
        bytes.StartsWith(AppendablePrefix) && bytes[AppendablePrefix.Length..] is var rest && rest.Length >= nonce.Length && Ascii.Equals(rest[..nonce.Length], nonce);

    private static RecordDecodeResult Decode(ReadOnlySpan<byte> file, int start)
    {
        ReadOnlySpan<byte> bytes = file[start..];
        if (bytes.IsEmpty)
        {
            return CreateDamaged("the record is empty");
        }

        if (!bytes.StartsWith(Prefix) || !Utf8Parser.TryParse(bytes[Prefix.Length..], out int format, out _) || format < 1)
        {
            return CreateDamaged("the record does not start like a record");
        }

        if (format > FormatVersion)
        {
            return new RecordDecodeResult(null, format, null);
        }

        int end = bytes.IndexOf((byte)'\n');
        int bodyLength = end - DigestPropertyName.Length - DigestLength - 2;
        if (end < 0 || bodyLength <= 0)
        {
            return CreateDamaged("the first line of the record is cut off");
        }

        ReadOnlySpan<byte> body = bytes[..bodyLength];
        ReadOnlySpan<byte> tail = bytes[bodyLength..end];
        if (!tail.StartsWith(DigestPropertyName) || !tail[DigestPropertyName.Length..].StartsWith(HashToHex(body, stackalloc byte[DigestLength])) || !tail.EndsWith("\"}"u8))
        {
            return CreateDamaged("the first line of the record does not match its digest");
        }

        try
        {
            RecordDecodeResult result = Parse(bytes[..end], bytes[(end + 1)..], isLast: format < FormatVersion, out int length);
            return format == FormatVersion && result.Record is { } record ? result with { Record = record.EndingAt(start + end + 1 + length) } : result;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException or OverflowException)
        {
            return CreateDamaged("the first line of the record cannot be parsed: " + e.Message);
        }
    }

    /// <param name="line">The first line of the record, without the end of the line.</param>
    /// <param name="content">The bytes behind the line.</param>
    /// <param name="isLast">Whether the record must end with the content.</param>
    /// <param name="length">The length of the data and of the response.</param>
    private static RecordDecodeResult Parse(ReadOnlySpan<byte> line, ReadOnlySpan<byte> content, bool isLast, out int length)
    {
        length = 0;
        var fields = new RecordFieldReader(line);
        var stored = new StoredRecord
        {
            Nonce = fields.GetString("nonce"u8) ?? throw new FormatException("the nonce is missing"),
            Generation = fields.GetInt64("generation"u8) ?? throw new FormatException("the generation is missing"),
            WriteCount = fields.GetInt64("writes"u8) ?? throw new FormatException("the number of writes is missing"),
            Record = new UploadRecord
            {
                State = ParseState(fields.GetString("state"u8)),
                Length = fields.GetInt64("length"u8),
                SlidingExpiration = fields.GetString("slidingExpiration"u8) is { } span
                    ? TimeSpan.ParseExact(span, "c", CultureInfo.InvariantCulture) : null,
                AbsoluteExpiration = fields.GetString("absoluteExpiration"u8) is { } time ? ParseTime(time) : null,
            },
            LastUpdated = ParseTime(fields.GetString("changed"u8) ?? ""),
            Durability = fields.GetString("durability"u8) switch
            {
                PowerLoss => Durability.PowerLoss,
                Process => Durability.ProcessCrash,
                _ => throw new FormatException("the durability is unknown"),
            },
            CreationBootId = fields.GetString("boot"u8) ?? "",
            FinalOffset = fields.GetInt64("frozen"u8),
            StagingOffset = fields.GetInt64("staging"u8),
            MovedTo = fields.GetString("movedTo"u8),
            IsCopied = fields.IsNext(CopiedPropertyName) && fields.GetBoolean(CopiedPropertyName),
            IsAppendable = !isLast,
        };
        stored = stored with
        {
            ResponseFileName = fields.IsNext(ResponseFilePropertyName) ? fields.GetString(ResponseFilePropertyName)
                : stored.Record.State == UploadState.Completed ? StorePaths.LegacyResponseFileName
                : null,
        };
        long dataLength = fields.GetInt64("dataLength"u8) ?? -1;
        if (dataLength < 0 || dataLength > content.Length)
        {
            return CreateDamaged("the data of the record does not have the expected length");
        }

        ReadOnlySpan<byte> data = content[..(int)dataLength];
        if (!fields.StringEquals("dataSha256"u8, HashToHex(data, stackalloc byte[2 * SHA256.HashSizeInBytes])))
        {
            return CreateDamaged("the data of the record does not match its digest");
        }

        stored = stored with { Record = stored.Record with { Data = data.ToArray() } };
        ReadOnlySpan<byte> response = content[data.Length..];
        if (!fields.IsNext(ResponseLengthPropertyName))
        {
            length = data.Length;
            return response.IsEmpty || !isLast ? new RecordDecodeResult(stored, null, null) : CreateDamaged("the data of the record does not have the expected length");
        }

        long responseLength = fields.GetInt64(ResponseLengthPropertyName) ?? -1;
        if (responseLength < 0 || responseLength > response.Length || (isLast && responseLength != response.Length))
        {
            return CreateDamaged("the response in the record does not have the expected length");
        }

        response = response[..(int)responseLength];
        length = data.Length + response.Length;
        return fields.StringEquals("responseSha256"u8, HashToHex(response, stackalloc byte[2 * SHA256.HashSizeInBytes]))
            ? new RecordDecodeResult(stored with { Response = response.ToArray() }, null, null)
            : CreateDamaged("the response in the record does not match its digest");
    }

    private static RecordDecodeResult CreateDamaged(string reason) => new(null, null, reason);

    /// <summary>Fills the buffer with the first hex digits of a SHA-256 digest.</summary>
    private static Span<byte> HashToHex(scoped ReadOnlySpan<byte> bytes, Span<byte> digits)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        Convert.TryToHexStringLower(digest[..(digits.Length / 2)], digits, out _);
        return digits;
    }

    /// <summary>Returns whether a record names the file with the response. A completed one without the field was written by an earlier build.</summary>
    private static bool HasResponseFileField(StoredRecord stored) =>
        stored.Record.State == UploadState.Completed && stored.ResponseFileName != StorePaths.LegacyResponseFileName;

    private static string FormatState(UploadState state) => state switch
    {
        UploadState.Receiving => "receiving",
        UploadState.Received => "received",
        UploadState.Completed => "completed",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    private static UploadState ParseState(string? name) => name switch
    {
        "receiving" => UploadState.Receiving,
        "received" => UploadState.Received,
        "completed" => UploadState.Completed,
        _ => throw new FormatException("the state is unknown"),
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

    private static void WriteFormatted<T>(Utf8JsonWriter json, string name, T? value, string format)
        where T : struct, IUtf8SpanFormattable
    {
        Span<byte> text = stackalloc byte[MaxFormattedLength];
        if (value is not { } time)
        {
            json.WriteNull(name);
        }
        else if (time.TryFormat(text, out int length, format, CultureInfo.InvariantCulture))
        {
            json.WriteString(name, text[..length]);
        }
        else
        {
            throw new FormatException($"{name} cannot be formatted.");
        }
    }

    private static void WriteString(Utf8JsonWriter json, string name, string? value) => json.WriteString(name, value);
}

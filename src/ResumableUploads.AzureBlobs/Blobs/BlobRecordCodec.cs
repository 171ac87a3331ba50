using System.Diagnostics.CodeAnalysis;
using System.Text;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>Converts records to the metadata of a blob and back.</summary>
internal static class BlobRecordCodec
{
    /// <summary>The name of the metadata value.</summary>
    public const string MetadataName = "resumableupload";

    /// <summary>The maximum total size, in bytes, of <see cref="BlobRecord.Data"/> and <see cref="BlobRecord.Response"/> in the metadata.</summary>
    /// <remarks>The service allows 8 KiB for all names and values; base64 takes four thirds, and the other fields and two names of side blobs fit into the rest.</remarks>
    public const int MaxInlineLength = 5_000;

    private const byte Version = 2;

    public static Dictionary<string, string> Encode(BlobRecord record)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8))
        {
            writer.Write(Version);
            writer.Write(Convert.FromHexString(record.Nonce));
            writer.Write(Convert.FromHexString(record.WriteId));
            writer.Write7BitEncodedInt64(record.Generation);
            writer.Write((byte)record.State);
            Write(writer, record.Length);
            Write(writer, record.SlidingExpiration?.Ticks);
            Write(writer, record.AbsoluteExpiration?.UtcTicks);
            writer.Write7BitEncodedInt64(record.Offset);
            Write(writer, record.Data);
            Write(writer, record.Response);
            Write(writer, record.Move);
            Write(writer, record.Successor);
        }

        return new Dictionary<string, string> { [MetadataName] = Convert.ToBase64String(stream.ToArray()) };
    }

    /// <summary>Decodes metadata. Returns false if they are missing or invalid.</summary>
    public static bool TryDecode(IDictionary<string, string> metadata, [NotNullWhen(true)] out BlobRecord? record)
    {
        record = null;
        if (FindValue(metadata) is not { } text)
        {
            return false;
        }

        try
        {
            using var reader = new BinaryReader(new MemoryStream(Convert.FromBase64String(text)), Encoding.UTF8);
            if (reader.ReadByte() != Version)
            {
                return false;
            }

            record = new BlobRecord
            {
                Nonce = ReadId(reader),
                WriteId = ReadId(reader),
                Generation = reader.Read7BitEncodedInt64(),
                State = (UploadState)reader.ReadByte(),
                Length = ReadInt64(reader),
                SlidingExpiration = ReadInt64(reader) is { } sliding ? TimeSpan.FromTicks(sliding) : null,
                AbsoluteExpiration = ReadTime(reader),
                Offset = reader.Read7BitEncodedInt64(),
                Data = ReadPart(reader) ?? RecordPart.Empty,
                Response = ReadPart(reader),
                Move = ReadMove(reader),
                Successor = ReadPointer(reader),
            };
            return Enum.IsDefined(record.State) && record.Offset >= 0;
        }
        catch (Exception e) when (e is FormatException or IOException or ArgumentException)
        {
            record = null;
            return false;
        }
    }

    // Names of metadata are not case-sensitive, and a proxy may change their case.
    private static string? FindValue(IDictionary<string, string> metadata) =>
        metadata.FirstOrDefault(static pair => pair.Key.Equals(MetadataName, StringComparison.OrdinalIgnoreCase)).Value;

    private static void Write(BinaryWriter writer, long? value)
    {
        writer.Write(value is not null);
        if (value is { } number)
        {
            writer.Write(number);
        }
    }

    private static void Write(BinaryWriter writer, RecordPart? part)
    {
        writer.Write((byte)(part is null ? 0 : part.SideName is null ? 1 : 2));
        if (part?.SideName is { } name)
        {
            writer.Write(name);
        }
        else if (part is not null)
        {
            writer.Write7BitEncodedInt(part.Inline.Length);
            writer.Write(part.Inline.Span);
        }
    }

    private static void Write(BinaryWriter writer, BlobMove? move)
    {
        writer.Write(move is not null);
        if (move is not null)
        {
            Write(writer, move.Key);
            Write(writer, move.ReplacedBlobKey);
            writer.Write(move.ReplacedETag);
            Write(writer, move.LastModified?.UtcTicks);
        }
    }

    private static void Write(BinaryWriter writer, BlobPointer? pointer)
    {
        writer.Write(pointer is not null);
        if (pointer is not null)
        {
            Write(writer, pointer.BlobKey);
            writer.Write(Convert.FromHexString(pointer.Nonce));
        }
    }

    private static void Write(BinaryWriter writer, UploadKey key)
    {
        writer.Write(key.Owner);
        writer.Write(key.Id);
    }

    private static BlobMove? ReadMove(BinaryReader reader) =>
        reader.ReadBoolean() ? new BlobMove(ReadKey(reader), ReadKey(reader), reader.ReadString(), ReadTime(reader)) : null;

    private static BlobPointer? ReadPointer(BinaryReader reader) => reader.ReadBoolean() ? new BlobPointer(ReadKey(reader), ReadId(reader)) : null;

    private static UploadKey ReadKey(BinaryReader reader) => new(reader.ReadString(), reader.ReadString());

    private static string ReadId(BinaryReader reader) => Convert.ToHexStringLower(ReadBytes(reader, 16));

    private static long? ReadInt64(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadInt64() : null;

    private static DateTimeOffset? ReadTime(BinaryReader reader) => ReadInt64(reader) is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    private static RecordPart? ReadPart(BinaryReader reader) => reader.ReadByte() switch
    {
        0 => null,
        1 => new RecordPart(ReadBytes(reader, reader.Read7BitEncodedInt()), null),
        2 => new RecordPart(default, reader.ReadString()),
        _ => throw new FormatException("Unknown kind of part."),
    };

    private static byte[] ReadBytes(BinaryReader reader, int count) =>
        reader.ReadBytes(count) is var bytes && bytes.Length == count ? bytes : throw new FormatException("The record is incomplete.");
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>A slot of the mark file.</summary>
/// <param name="Index">The position in the file: 0 or 1.</param>
/// <param name="Sequence">A number that increases with each write.</param>
/// <param name="Offset">The durable offset.</param>
/// <param name="BootId">The boot in which the slot was written, or <see cref="DurableOffsetFile.UntrustedBootId"/>.</param>
/// <param name="IsConfirmed">Whether the slot has a confirmation, which is written after the slot and the bytes before its offset have been synced.</param>
/// <param name="Tail">The bytes that were synced at the same time as the slot.</param>
internal readonly record struct DurableOffsetSlot(int Index, long Sequence, long Offset, string BootId, bool IsConfirmed, ContentTail Tail = default)
{
    /// <summary>Gets whether the data file has the tail.</summary>
    public bool HasTail { get; init; }
}

/// <summary>The last bytes before an offset. After a power loss, their digest shows whether they reached the disk together with the slot.</summary>
/// <param name="Length">The number of bytes, or 0 if all bytes were durable before the slot was written.</param>
/// <param name="Digest">The first 16 hex digits of their SHA-256, or null if there are none.</param>
internal readonly record struct ContentTail(int Length, string? Digest)
{
    /// <summary>The maximum length: short enough to hash in less time than a sync takes.</summary>
    public const int MaxLength = 256 * 1024;
}

/// <summary>The two slots of a mark file.</summary>
internal readonly record struct DurableOffsetSlots(DurableOffsetSlot? Newest, DurableOffsetSlot? Previous)
{
    /// <summary>
    /// Returns the slot with the current durable offset, or null for offset 0 in the boot that created the upload. In the boot that wrote a slot, the slot
    /// can be read before it is on the disk, so the previous slot is used until the slot is confirmed. A slot of another boot counts if its bytes are in the data
    /// file. This machine has read it from its disk, but another machine with the same directory may have left it in a cache of the volume: it must be written
    /// again before it is reported.
    /// </summary>
    public DurableOffsetSlot? GetTrusted(string boot) =>
        Newest is { } slot && (slot.IsConfirmed || (slot.BootId != boot && (slot.Tail.Length == 0 || slot.HasTail))) ? slot : Previous;
}

/// <summary>
/// Reads and writes the mark file, which holds the durable offset. It has two slots of text, written alternately, so that a torn write leaves the
/// other one valid. A slot contains the sequence, the offset, the boot id, the bytes that were synced together with it, and a digest. After the slot and these
/// bytes are durable, the sequence is appended as a confirmation. The confirmation is not synced.
/// </summary>
internal static class DurableOffsetFile
{
    /// <summary>The id of no boot. Bytes after the offset of such a slot are never kept.</summary>
    public const string UntrustedBootId = "00000000-0000-0000-0000-000000000000";

    /// <summary>The size of a slot, a page, so that slots never share a sector of the disk.</summary>
    public const int SlotSize = 4096;

    private const int NumberLength = 20;
    private const int BootLength = 36;
    private const int DigestLength = 16;
    private const int TailLengthLength = 6;
    private const int PayloadLength = NumberLength + 1 + NumberLength + 1 + BootLength + 1 + TailLengthLength + 1 + DigestLength;

    /// <summary>The length of the text in slots of earlier builds, which have no tail.</summary>
    private const int PayloadLengthWithoutTail = NumberLength + 1 + NumberLength + 1 + BootLength;

    private static readonly string EmptyTailDigest = new('0', DigestLength);

    /// <summary>Creates the content of a new file: blank slots, so that a full disk does not stop a later checkpoint.</summary>
    public static byte[] CreateEmpty()
    {
        byte[] bytes = new byte[2 * SlotSize];
        bytes.AsSpan().Fill((byte)' ');
        bytes[SlotSize - 1] = bytes[^1] = (byte)'\n';
        return bytes;
    }

    public static DurableOffsetSlots Read(FileLayer files, string path)
    {
        Span<byte> bytes = stackalloc byte[2 * SlotSize];
        return files.ReadPrefix(path, bytes) is { } count ? Decode(bytes[..count]) : default;
    }

    public static DurableOffsetSlots Decode(ReadOnlySpan<byte> bytes)
    {
        DurableOffsetSlot? first = DecodeSlot(0, bytes);
        DurableOffsetSlot? second = DecodeSlot(1, bytes.Length > SlotSize ? bytes[SlotSize..] : default);
        return first?.Sequence > second?.Sequence || second is null ? new DurableOffsetSlots(first, second) : new DurableOffsetSlots(second, first);
    }

    /// <summary>
    /// Writes a slot and returns when it and the data file are durable. The slot that counts now is not overwritten.
    /// </summary>
    /// <param name="context">The dependencies of the store.</param>
    /// <param name="file">The mark file.</param>
    /// <param name="slots">The slots of the file.</param>
    /// <param name="next">The new slot. Its index, sequence and confirmation are determined here.</param>
    /// <param name="data">The data file if its last bytes are not durable; otherwise, null.</param>
    public static DurableOffsetSlots Write(StoreContext context, OpenFile file, DurableOffsetSlots slots, DurableOffsetSlot next, OpenFile? data = null)
    {
        FileLayer files = context.Files;
        DurableOffsetSlot? trusted = slots.GetTrusted(files.BootId);
        next = next with { Index = trusted?.Index == 0 ? 1 : 0, Sequence = (slots.Newest?.Sequence ?? 0) + 1, IsConfirmed = true };
        byte[] text = Encode(next);
        int confirmation = text.Length - NumberLength;
        long position = next.Index * SlotSize;
        files.Write(file, text.AsMemory(0, confirmation), position);
        context.SyncAll(data is null ? [new SyncTarget(file)] : [new SyncTarget(file), new SyncTarget(data)]);
        files.Write(file, text.AsMemory(confirmation), position + confirmation);
        return new DurableOffsetSlots(next, trusted);
    }

    /// <summary>
    /// Writes the newest slot again, with the same bytes, and returns when it and the data file are durable. The slot is not replaced, because it may be the only
    /// one with an offset that was reported.
    /// </summary>
    public static DurableOffsetSlots WriteAgain(StoreContext context, OpenFile file, DurableOffsetSlots slots, OpenFile data)
    {
        DurableOffsetSlot slot = slots.Newest!.Value;
        long position = slot.Index * SlotSize;
        byte[] text = new byte[SlotSize];
        context.Files.Write(file, text.AsMemory(0, file.Read(text, position)), position);
        context.SyncAll([new SyncTarget(file), new SyncTarget(data)]);
        return slots with { Newest = slot with { IsConfirmed = true } };
    }

    private static byte[] Encode(DurableOffsetSlot slot)
    {
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{slot.Sequence:D20} {slot.Offset:D20} {slot.BootId} {slot.Tail.Length:D6} {slot.Tail.Digest ?? EmptyTailDigest}");
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{text} {ComputeDigest(Encoding.ASCII.GetBytes(text))} {slot.Sequence:D20}"));
    }

    private static DurableOffsetSlot? DecodeSlot(int slot, ReadOnlySpan<byte> bytes) =>
        DecodeSlot(slot, bytes, PayloadLength) ?? DecodeSlot(slot, bytes, PayloadLengthWithoutTail);

    private static DurableOffsetSlot? DecodeSlot(int slot, ReadOnlySpan<byte> bytes, int payloadLength)
    {
        // The confirmation is not required: a power loss may leave a file that ends before it.
        int confirmation = payloadLength + 1 + DigestLength + 1;
        if (bytes.Length < confirmation)
        {
            return null;
        }

        ReadOnlySpan<byte> text = bytes[..payloadLength];
        if (!Ascii.Equals(bytes.Slice(payloadLength + 1, DigestLength), ComputeDigest(text))
            || !long.TryParse(text[..NumberLength], NumberStyles.None, CultureInfo.InvariantCulture, out long sequence)
            || !long.TryParse(text.Slice(NumberLength + 1, NumberLength), NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
        {
            return null;
        }

        ContentTail tail = default;
        if (payloadLength == PayloadLength && int.TryParse(text.Slice(PayloadLengthWithoutTail + 1, TailLengthLength), NumberStyles.None, CultureInfo.InvariantCulture, out int tailLength) && tailLength > 0)
        {
            tail = new ContentTail(tailLength, Encoding.ASCII.GetString(text[^DigestLength..]));
        }

        bool confirmed = bytes.Length >= confirmation + NumberLength && bytes.Slice(confirmation, NumberLength).SequenceEqual(text[..NumberLength]);
        string boot = Encoding.ASCII.GetString(text.Slice((2 * NumberLength) + 2, BootLength));
        return new DurableOffsetSlot(slot, sequence, offset, boot, confirmed, tail);
    }

    /// <summary>Returns the first 16 hex digits of a SHA-256 digest.</summary>
    public static string ToDigest(ReadOnlySpan<byte> sha256) => Convert.ToHexStringLower(sha256[..(DigestLength / 2)]);

    private static string ComputeDigest(ReadOnlySpan<byte> text) => ToDigest(SHA256.HashData(text));
}

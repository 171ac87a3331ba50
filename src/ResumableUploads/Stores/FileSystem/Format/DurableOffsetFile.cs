using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>A slot of the mark file.</summary>
/// <param name="Index">The position in the file: 0 or 1.</param>
/// <param name="Sequence">A number that increases with each write.</param>
/// <param name="Offset">The durable offset.</param>
/// <param name="BootId">The boot in which the slot was written, or <see cref="DurableOffsetFile.UntrustedBootId"/>.</param>
/// <param name="IsConfirmed">Whether the slot has a confirmation, which is written after the slot has been synced.</param>
internal readonly record struct DurableOffsetSlot(int Index, long Sequence, long Offset, string BootId, bool IsConfirmed);

/// <summary>The two slots of a mark file.</summary>
internal readonly record struct DurableOffsetSlots(DurableOffsetSlot? Newest, DurableOffsetSlot? Previous)
{
    /// <summary>
    /// Returns the slot with the current durable offset, or null for offset 0 in the boot that created the upload. In the boot that wrote a slot, the slot
    /// can be read before it is on the disk, so the previous slot is used until the slot is confirmed. In a later boot, every slot was read from the disk.
    /// </summary>
    public DurableOffsetSlot? GetTrusted(string boot) => Newest is { } slot && (slot.IsConfirmed || slot.BootId != boot) ? slot : Previous;
}

/// <summary>
/// Reads and writes the mark file, which holds the durable offset. It has two slots of text, written alternately, so that a torn write leaves the
/// other one valid. A slot contains the sequence, the offset, the boot id and a digest. After a slot is durable, the sequence is appended to it as a
/// confirmation for readers in the same boot. The confirmation is not synced.
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
    private const int PayloadLength = NumberLength + 1 + NumberLength + 1 + BootLength;
    private const int ConfirmationOffset = PayloadLength + 1 + DigestLength + 1;
    private const int EntryLength = ConfirmationOffset + NumberLength;

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

    /// <summary>Writes a slot and returns when it is durable. The slot that counts now is not overwritten.</summary>
    public static DurableOffsetSlots Write(FileLayer files, OpenFile file, DurableOffsetSlots slots, long offset, string boot)
    {
        DurableOffsetSlot? trusted = slots.GetTrusted(files.BootId);
        int slot = trusted?.Index == 0 ? 1 : 0;
        long sequence = (slots.Newest?.Sequence ?? 0) + 1;
        byte[] bytes = Encode(sequence, offset, boot);
        long position = slot * SlotSize;
        files.Write(file, bytes.AsMemory(0, ConfirmationOffset), position);
        files.Sync(file);
        files.Write(file, bytes.AsMemory(ConfirmationOffset), position + ConfirmationOffset);
        return new DurableOffsetSlots(new DurableOffsetSlot(slot, sequence, offset, boot, IsConfirmed: true), trusted);
    }

    private static byte[] Encode(long sequence, long offset, string boot)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{sequence:D20} {offset:D20} {boot}");
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{text} {ComputeDigest(Encoding.ASCII.GetBytes(text))} {sequence:D20}"));
    }

    private static DurableOffsetSlot? DecodeSlot(int slot, ReadOnlySpan<byte> bytes)
    {
        // The confirmation is not required: a power loss may leave a file that ends before it.
        if (bytes.Length < ConfirmationOffset)
        {
            return null;
        }

        ReadOnlySpan<byte> text = bytes[..PayloadLength];
        if (!Ascii.Equals(bytes.Slice(PayloadLength + 1, DigestLength), ComputeDigest(text))
            || !long.TryParse(text[..NumberLength], NumberStyles.None, CultureInfo.InvariantCulture, out long sequence)
            || !long.TryParse(text.Slice(NumberLength + 1, NumberLength), NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
        {
            return null;
        }

        bool confirmed = bytes.Length >= EntryLength && bytes.Slice(ConfirmationOffset, NumberLength).SequenceEqual(text[..NumberLength]);
        return new DurableOffsetSlot(slot, sequence, offset, Encoding.ASCII.GetString(text[^BootLength..]), confirmed);
    }

    private static string ComputeDigest(ReadOnlySpan<byte> text) =>
        Convert.ToHexStringLower(SHA256.HashData(text).AsSpan(0, DigestLength / 2));
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>One statement of how many bytes were durable.</summary>
/// <param name="Index">Where it stands in the file: 0 or 1.</param>
/// <param name="Sequence">Which of two is newer.</param>
/// <param name="Offset">How many bytes were durable.</param>
/// <param name="BootId">In which boot it was written, or <see cref="DurableOffsetFile.UntrustedBootId"/>.</param>
/// <param name="IsConfirmed">Whether the statement itself was made durable, as far as this boot knows.</param>
internal readonly record struct DurableOffsetSlot(int Index, long Sequence, long Offset, string BootId, bool IsConfirmed);

/// <summary>What both slots of a mark file say.</summary>
internal readonly record struct DurableOffsetSlots(DurableOffsetSlot? Newest, DurableOffsetSlot? Previous)
{
    /// <summary>
    /// The mark to believe. In the boot that wrote it a mark can be read before it is on the disk; until it is confirmed, the one before
    /// counts. What is read after another boot comes from the disk. Null stands for offset 0 in the boot that made the upload.
    /// </summary>
    public DurableOffsetSlot? GetTrusted(string boot) => Newest is { } slot && (slot.IsConfirmed || slot.BootId != boot) ? slot : Previous;
}

/// <summary>
/// Two slots of text, written in turns, so that a write which power loss tears leaves the other. A slot holds sequence, offset, boot
/// and digest; once these are durable the sequence is repeated behind them, without a sync, for readers in the same boot.
/// </summary>
internal static class DurableOffsetFile
{
    /// <summary>Stands for a boot that never is: what lies behind the offset is not to be trusted.</summary>
    public const string UntrustedBootId = "00000000-0000-0000-0000-000000000000";

    /// <summary>The slots are a page apart, so that they never share a sector of the disk.</summary>
    public const int SlotSize = 4096;

    private const int NumberLength = 20;
    private const int BootLength = 36;
    private const int DigestLength = 16;
    private const int PayloadLength = NumberLength + 1 + NumberLength + 1 + BootLength;
    private const int ConfirmationOffset = PayloadLength + 1 + DigestLength + 1;
    private const int EntryLength = ConfirmationOffset + NumberLength;

    /// <summary>The content of a new file: blank, and long enough that a full disk does not stop a later mark.</summary>
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

    /// <summary>Writes a mark and returns when it is durable. The slot of the trusted mark is left alone.</summary>
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
        // No more than what was synced: a loss of power may leave a file that ends there, if the blanks of a new one were lost in one before.
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

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.DeferredSync;

/// <summary>The last bytes of an append, which are synced at the same time as the mark file.</summary>
public sealed class ContentTailTests : DeferredSyncTest
{
    private const string OtherBoot = "11111111-1111-1111-1111-111111111111";

    public static TheoryData<string, int> Damages => new() { { "none", 20 }, { "changed", 10 }, { "missing", 10 }, { "zero", 10 } };

    [Theory]
    [InlineData(1, true)]
    [InlineData(ContentTail.MaxLength, true)]
    [InlineData(ContentTail.MaxLength + 1, false)]
    public async Task Short_append_is_synced_together_with_its_offset(int length, bool isTail)
    {
        await CreateAsync(Store);
        Clear();
        Assert.Equal(length, (await AppendAsync(Store, 0, Bytes(length))).Offset);
        Assert.Equal(["owner/up/upload-1/data", "owner/up/upload-1/mark"], Syncs);
        Assert.Equal(isTail ? ["owner/up/upload-1/data", "owner/up/upload-1/mark"] : ["owner/up/upload-1/mark"], Assert.Single(Groups));
        DurableOffsetSlot slot = DurableOffsetFile.Read(Disk, TheFile(".mark")).Newest!.Value;
        string? digest = isTail ? Convert.ToHexStringLower(SHA256.HashData(Bytes(length)))[..16] : null;
        Assert.Equal((length, new ContentTail(isTail ? length : 0, digest), true), (slot.Offset, slot.Tail, slot.IsConfirmed));
        Assert.Equal(Bytes(length), await ReadAsync(NewStore(files: new FaultyFiles { Boot = OtherBoot })));
    }

    [Theory]
    [InlineData(ContentTail.MaxLength)]
    [InlineData(ContentTail.MaxLength + 1)]
    public async Task Offset_of_an_interrupted_sync_counts_in_another_boot(int length)
    {
        await AppendAndDieAsync(length);
        FileSystemUploadStore next = NewStore(files: new FaultyFiles { Boot = OtherBoot });
        Assert.Equal(10 + length, (await GetAsync(next)).Offset);
        Assert.Equal((byte[])[.. Bytes(10), .. Bytes(length, seed: 2)], await ReadAsync(next));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Slot_whose_tail_is_not_on_the_disk_after_another_boot_does_not_count(string damage, int expected)
    {
        await AppendAndDieAsync(10);
        using (FileStream data = File.Open(TheFile(".data"), FileMode.Open))
        {
            switch (damage)
            {
                case "changed":
                    data.Position = 15;
                    data.WriteByte((byte)(Bytes(10, seed: 2)[5] ^ 1));
                    break;
                case "missing":
                    data.SetLength(19);
                    break;
                case "zero":
                    data.SetLength(10);
                    data.SetLength(20);
                    break;
            }
        }

        FileSystemUploadStore next = NewStore(files: new FaultyFiles { Boot = OtherBoot });
        Assert.Equal(expected, (await GetAsync(next)).Offset);
        Assert.Equal(((byte[])[.. Bytes(10), .. Bytes(10, seed: 2)])[..expected], await ReadAsync(next));
        Assert.Equal(expected + 5, (await AppendAsync(next, expected, Bytes(5))).Offset);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(24)]
    public async Task Tail_that_cannot_be_read_fails_the_call_and_keeps_the_bytes(int error)
    {
        await AppendAndDieAsync(10);
        var disk = new UnreadableFiles { ReadError = error };
        FileSystemUploadStore next = NewStore(files: disk);
        await Assert.ThrowsAsync<UploadStoreException>(() => GetAsync(next));
        await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(next, 10, Bytes(5)));
        disk.ReadError = null;
        Assert.Equal(20, (await GetAsync(next)).Offset);
        Assert.Equal((byte[])[.. Bytes(10), .. Bytes(10, seed: 2)], await ReadAsync(next));
    }

    /// <summary>Another machine writes the slot. Only its lock shows that.</summary>
    [Fact]
    public async Task Slot_is_not_reported_if_the_lock_cannot_be_tried()
    {
        await AppendAndDieAsync(10);
        var disk = new UnreadableFiles { LockError = 37 };
        FileSystemUploadStore next = NewStore(files: disk);
        await Assert.ThrowsAsync<UploadStoreException>(() => GetAsync(next));
        disk.LockError = null;
        Assert.Equal(20, (await GetAsync(next)).Offset);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decode_reads_slots_without_tail(bool isConfirmed)
    {
        byte[] file = DurableOffsetFile.CreateEmpty();
        WriteSlotWithoutTail(file, 0, sequence: 3, offset: 30, isConfirmed: true);
        WriteSlotWithoutTail(file, 1, sequence: 4, offset: 40, isConfirmed);
        DurableOffsetSlots slots = DurableOffsetFile.Decode(file);
        Assert.Equal(new DurableOffsetSlot(1, 4, 40, OtherBoot, isConfirmed), slots.Newest);
        Assert.Equal(new DurableOffsetSlot(0, 3, 30, OtherBoot, IsConfirmed: true), slots.Previous);
        Assert.Equal(isConfirmed ? 40 : 30, slots.GetTrusted(OtherBoot)!.Value.Offset);
        Assert.Equal(40, slots.GetTrusted(DurableOffsetFile.UntrustedBootId)!.Value.Offset);
    }

    [Fact]
    public async Task Append_continues_an_upload_with_slots_without_tail()
    {
        await CreateAsync(Store);
        await AppendAsync(Store, 0, Bytes(30));
        byte[] file = DurableOffsetFile.CreateEmpty();
        WriteSlotWithoutTail(file, 0, sequence: 3, offset: 30, isConfirmed: true);
        File.WriteAllBytes(TheFile(".mark"), file);

        var disk = new FaultyFiles { Boot = OtherBoot };
        FileSystemUploadStore next = NewStore(files: disk);
        Assert.Equal(35, (await AppendAsync(next, 30, Bytes(5))).Offset);
        DurableOffsetSlots slots = DurableOffsetFile.Read(disk, TheFile(".mark"));
        Assert.Equal((1, 4L, 35L, 5), (slots.Newest!.Value.Index, slots.Newest.Value.Sequence, slots.Newest.Value.Offset, slots.Newest.Value.Tail.Length));
        Assert.Equal((0, 3L, 30L, 0), (slots.Previous!.Value.Index, slots.Previous.Value.Sequence, slots.Previous.Value.Offset, slots.Previous.Value.Tail.Length));
    }

    /// <summary>Appends 10 bytes, and more in a second append that dies after its syncs and before their confirmation.</summary>
    private async Task AppendAndDieAsync(int length)
    {
        await CreateAsync(Store);
        await AppendAsync(Store, 0, Bytes(10));
        bool isSynced = false;
        Disk.Before = (step, path) =>
        {
            if (isSynced && step == "write" && path.EndsWith(".mark", StringComparison.Ordinal))
            {
                throw new ProcessDied();
            }
        };
        Disk.After = (step, path) => isSynced |= step == "sync" && path.EndsWith(".mark", StringComparison.Ordinal);
        await Assert.ThrowsAsync<ProcessDied>(() => AppendAsync(Store, 10, Bytes(length, seed: 2)));
    }

    private static void WriteSlotWithoutTail(byte[] file, int index, long sequence, long offset, bool isConfirmed)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{sequence:D20} {offset:D20} {OtherBoot}");
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)))[..16];
        string confirmation = isConfirmed ? string.Create(CultureInfo.InvariantCulture, $"{sequence:D20}") : "";
        Encoding.ASCII.GetBytes($"{text} {digest} {confirmation}").CopyTo(file, index * DurableOffsetFile.SlotSize);
    }

    /// <summary>The disk of another boot, which fails to open data files and to lock files.</summary>
    private sealed class UnreadableFiles : FaultyFiles
    {
        public UnreadableFiles() => Boot = OtherBoot;

        public int? ReadError { get; set; }

        public int? LockError { get; set; }

        public override OpenFile OpenRead(string path) =>
            ReadError is { } error && path.EndsWith(".data", StringComparison.Ordinal) ? throw Error(error) : base.OpenRead(path);

        public override OpenFile? TryLock(string path) => LockError is { } error ? throw Error(error) : base.TryLock(path);
    }
}

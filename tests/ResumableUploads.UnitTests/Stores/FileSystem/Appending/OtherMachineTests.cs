using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Appending;

/// <summary>
/// A machine continues an upload after a process of another machine with the same directory has died, or after a restart. It sees bytes that may be only in a
/// cache of the volume.
/// </summary>
public sealed class OtherMachineTests : FileSystemStoreTest
{
    private const string OtherBoot = "11111111-1111-1111-1111-111111111111";

    private readonly List<string> _steps = [];

    [Theory]
    [InlineData(10, false)]
    [InlineData(ContentTail.MaxLength + 1, false)]
    [InlineData(10, true)]
    public async Task Offset_that_another_machine_has_not_confirmed_is_written_again(int length, bool appends)
    {
        await AppendAndDieAsync(length);
        byte[] marks = File.ReadAllBytes(TheFile(".mark"));
        DurableOffsetSlot newest = DurableOffsetFile.Decode(marks).Newest!.Value;
        byte[]? marksAtSync = null;
        FaultyFiles files = RecordSteps(new FaultyFiles { Boot = OtherBoot }, () => marksAtSync ??= File.ReadAllBytes(TheFile(".mark")));
        FileSystemUploadStore store = NewStore(files: files);
        if (appends)
        {
            Assert.Equal(10 + length + 5, (await AppendAsync(store, 10 + length, Bytes(5))).Offset);
        }

        // What the other machine has written is written again: the last bytes, and the slot with the same content. The slot before it counts until then.
        Assert.Equal(length + 10 + (appends ? 5 : 0), (await GetAsync(store)).Offset);
        string[] expected = length <= ContentTail.MaxLength ? ["write.data", "write.mark", "sync.mark", "sync.data"] : ["write.mark", "sync.mark", "sync.data"];
        Assert.Equal(expected, _steps[..expected.Length]);
        Assert.Equal(marks, marksAtSync);
        Assert.False(newest.IsConfirmed);
        DurableOffsetSlots slots = DurableOffsetFile.Read(files, TheFile(".mark"));
        Assert.Equal((OtherBoot, true), (slots.Newest!.Value.BootId, slots.Newest.Value.IsConfirmed));
    }

    [Fact]
    public async Task Bytes_that_another_machine_has_not_synced_are_cut_off()
    {
        await AppendAndDieAsync(10, "write", ".data");
        FileSystemUploadStore store = NewStore(files: new FaultyFiles { Boot = OtherBoot });
        Assert.Equal(10, (await GetAsync(store)).Offset);
        Assert.Equal(10, new FileInfo(TheFile(".data")).Length);

        // The first machine finds the slots of the second one.
        Assert.Equal(AppendStatus.OffsetMismatch, (await AppendAsync(NewStore(files: new FaultyFiles()), 20, Bytes(1))).Status);
        Assert.Equal(10, (await GetAsync(NewStore(files: new FaultyFiles()))).Offset);
    }

    [Fact]
    public async Task Machines_that_append_in_turns_lose_no_bytes()
    {
        FileSystemUploadStore[] stores = [NewStore(), NewStore(files: new FaultyFiles { Boot = OtherBoot })];
        await CreateAsync(stores[0]);
        List<byte> all = [];
        for (int i = 0; i < 6; i++)
        {
            byte[] bytes = Bytes(10 + i, seed: i);
            Assert.Equal(all.Count + bytes.Length, (await AppendAsync(stores[i % 2], all.Count, bytes)).Offset);
            all.AddRange(bytes);
            Assert.Equal(all.Count, (await GetAsync(stores[(i + 1) % 2])).Offset);
        }

        Assert.Equal(all, await ReadAsync(stores[0]));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(24)]
    public async Task Bytes_that_cannot_be_read_once_are_not_cut_off(int error)
    {
        await AppendAndDieAsync(10);
        var files = new UnreadableFiles { Boot = OtherBoot, Failure = FaultyFiles.Error(error) };
        FileSystemUploadStore store = NewStore(files: files);
        await Assert.ThrowsAsync<UploadStoreException>(async () => await GetAsync(store));
        await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(store, 20, Bytes(5)));
        files.Failure = null;
        Assert.Equal(20, (await GetAsync(store)).Offset);
        Assert.Equal((byte[])[.. Bytes(10), .. Bytes(10, seed: 2)], await ReadAsync(store));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_of_a_killed_process_whose_sync_fails_are_cut_off(bool truncationFails)
    {
        await AppendAndDieAsync(10, "write", ".data");
        bool isBroken = true;
        var files = new FaultyFiles();
        files.Before = (step, path) =>
        {
            if (!isBroken || !path.EndsWith(".data", StringComparison.Ordinal))
            {
                return;
            }

            if (step == "sync")
            {
                // The system drops the pages that it could not write, and reads others from the disk.
                using FileStream data = File.OpenWrite(path);
                data.Position = 10;
                data.Write(new byte[10]);
                throw FaultyFiles.Error(5);
            }

            if (step == "truncate" && truncationFails)
            {
                throw FaultyFiles.Error(5);
            }
        };
        FileSystemUploadStore store = NewStore(files: files);
        Assert.Equal(10, (await GetAsync(store)).Offset);
        isBroken = false;
        Assert.Equal(10, (await GetAsync(store)).Offset);
        Assert.Equal(Bytes(10), await ReadAsync(store));
        Assert.Contains(Logs.Lines, static line => line.Id == 105);
    }

    /// <summary>Appends 10 bytes, and more in a second append that dies after a step: by default, after its syncs and before their confirmation.</summary>
    private async Task AppendAndDieAsync(int length, string step = "sync", string ending = ".mark")
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        bool isDying = false;
        Files.Before = (next, path) =>
        {
            if (isDying && (step == "write" || (next == "write" && path.EndsWith(".mark", StringComparison.Ordinal))))
            {
                throw new ProcessDied();
            }
        };
        Files.After = (last, path) => isDying |= last == step && path.EndsWith(ending, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ProcessDied>(() => AppendAsync(store, 10, Bytes(length, seed: 2)));
    }

    private FaultyFiles RecordSteps(FaultyFiles files, Action atSync)
    {
        files.Before = (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                atSync();
            }
        };
        files.After = (step, path) =>
        {
            if (step is "sync" or "write")
            {
                _steps.Add(step + Path.GetExtension(path));
            }
        };
        return files;
    }

    private sealed class UnreadableFiles : FaultyFiles
    {
        public IOException? Failure { get; set; }

        public override OpenFile OpenRead(string path) =>
            Failure is not null && path.EndsWith(".data", StringComparison.Ordinal) ? throw Failure : base.OpenRead(path);
    }
}

using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

public class FileSystemDurableOffsetTests : FileSystemStoreTest
{
    private const string OtherBoot = "11111111-1111-1111-1111-111111111111";

    // Durable offset, boot of the next access, number of bytes after the durable offset, and the expected offset.
    public static TheoryData<int, string, int, int> Rules => new()
    {
        { 100, "same", 0, 100 },
        { 100, "same", 50, 150 },
        { 100, "other", 0, 100 },
        { 100, "other", 50, 100 },
        { 0, "same", 50, 50 },
        { 0, "other", 50, 0 },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task Unsynced_bytes_count_only_in_the_same_boot(int durable, string boot, int unsynced, int expected)
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        byte[] bytes = Bytes(durable + unsynced);
        if (durable > 0)
        {
            await AppendAsync(store, 0, bytes[..durable]);
        }

        WriteWithoutTheStore(bytes[durable..]);
        var next = new FaultyFiles { Boot = boot == "same" ? null : OtherBoot };
        FileSystemUploadStore after = NewStore(files: next);

        Assert.Equal(expected, (await GetAsync(after)).Offset);
        Assert.Equal(expected, new FileInfo(TheFile(".data")).Length);
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(after, expected, Bytes(5))).Status);
        byte[] all = [.. bytes[..expected], .. Bytes(5)];
        Assert.Equal(all, await ReadAsync(after));
    }

    [Fact]
    public async Task Append_in_another_boot_cuts_off_unsynced_bytes()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        WriteWithoutTheStore(Bytes(50));
        FileSystemUploadStore after = NewStore(files: new FaultyFiles { Boot = OtherBoot });

        Assert.Equal(new AppendResult(AppendStatus.OffsetMismatch, 0, (await GetAsync(after)).Version), await AppendAsync(after, 50, Bytes(1)));
        Assert.Equal(1, (await AppendAsync(after, 0, Bytes(1))).Offset);
    }

    [Fact]
    public async Task Cutting_off_bytes_does_not_delay_the_expiration()
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo before = await CreateAsync(store, record: new UploadRecord { SlidingExpiration = TimeSpan.FromDays(7) });
        WriteWithoutTheStore(Bytes(50));
        File.SetLastWriteTimeUtc(TheFile(".data"), before.LastModified.UtcDateTime);
        FileSystemUploadStore after = NewStore(files: new FaultyFiles { Boot = OtherBoot });

        Assert.Equal(AppendStatus.OffsetMismatch, (await AppendAsync(after, 50, Bytes(1))).Status);
        Assert.Equal(0, new FileInfo(TheFile(".data")).Length);
        Assert.Equal((before.LastModified, before.Expires), ((await GetAsync(after)).LastModified, (await GetAsync(after)).Expires));
    }

    [Fact]
    public async Task Append_to_an_upload_of_an_earlier_boot_records_the_current_boot()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        var next = new FaultyFiles { Boot = OtherBoot };
        FileSystemUploadStore after = NewStore(files: next);
        next.Before = (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(() => AppendAsync(after, 10, Bytes(5)));

        Assert.Equal(15, (await GetAsync(NewStore(files: new FaultyFiles { Boot = OtherBoot }))).Offset);
    }

    [Fact]
    public async Task ProcessCrash_durability_uses_the_length_and_no_mark_file()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store);
        WriteWithoutTheStore(Bytes(50));

        // The durability of the upload counts, and not that of the store.
        Assert.Equal(50, (await GetAsync(NewStore(files: new FaultyFiles { Boot = OtherBoot }))).Offset);
        Assert.Empty(Directory.GetFiles(UploadDirectory, "*.mark"));
    }

    [Fact]
    public async Task Slot_counts_in_its_own_boot_only_when_confirmed()
    {
        FileSystemUploadStore store = NewStore(syncSize: 1);
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        Files.After = (step, path) =>
        {
            // Crashes when the new slot is in the page cache and not yet synced.
            if (step == "write" && path.EndsWith(".mark", StringComparison.Ordinal))
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(() => AppendAsync(store, 10, Bytes(10)));

        DurableOffsetSlots slots = DurableOffsetFile.Read(FileLayer.Default, TheFile(".mark"));
        Assert.Equal((20, false), (slots.Newest!.Value.Offset, slots.Newest.Value.IsConfirmed));
        Assert.Equal(10, slots.GetTrusted(Files.BootId)!.Value.Offset);
        Assert.Equal(10, slots.GetTrusted(OtherBoot)!.Value.Offset);
        Assert.Equal(10, slots.Newest.Value.Tail.Length);

        var next = new FaultyFiles();
        var synced = new List<string>();
        next.After = (step, path) =>
        {
            if (step is "sync" or "write")
            {
                synced.Add(step + Path.GetExtension(path));
            }
        };
        Assert.Equal(20, (await GetAsync(NewStore(files: next))).Offset);
        Assert.Equal(["write.data", "sync.data", "write.mark", "sync.mark", "write.mark"], synced);
    }

    [Fact]
    public void Decode_with_a_torn_slot_returns_the_other_one()
    {
        string path = Path.Combine(Root, "mark");
        File.WriteAllBytes(path, DurableOffsetFile.CreateEmpty());
        FileLayer files = FileLayer.Default;
        using OpenFile file = files.OpenWrite(path);
        DurableOffsetSlots slots = Write(files, file, default, 10, OtherBoot);
        slots = Write(files, file, slots, 20, OtherBoot);
        byte[] before = File.ReadAllBytes(path);
        Write(files, file, slots, 30, OtherBoot);
        byte[] after = File.ReadAllBytes(path);

        int changed = Enumerable.Range(0, after.Length).Count(i => before[i] != after[i]);
        Assert.True(changed > 0);
        for (int cut = 0; cut <= 200; cut++)
        {
            byte[] torn = [.. after[..cut], .. before[cut..]];
            DurableOffsetSlots read = DurableOffsetFile.Decode(torn);
            Assert.Contains(read.Newest!.Value.Offset, (long[])[20, 30]);
            Assert.Equal(OtherBoot, read.Newest.Value.BootId);
        }
    }

    [Fact]
    public void Write_never_overwrites_the_trusted_slot()
    {
        string path = Path.Combine(Root, "mark");
        File.WriteAllBytes(path, DurableOffsetFile.CreateEmpty());
        var files = new FaultyFiles();
        using OpenFile file = files.OpenWrite(path);
        DurableOffsetSlots slots = Write(files, file, default, 10, files.BootId);
        files.Before = (step, _) =>
        {
            if (step == "sync")
            {
                throw FaultyFiles.Error(5);
            }
        };
        for (int i = 0; i < 3; i++)
        {
            Assert.Throws<IOException>(() => Write(files, file, DurableOffsetFile.Read(files, path), 20 + i, files.BootId));
            Assert.Equal(10, DurableOffsetFile.Read(files, path).GetTrusted(files.BootId)!.Value.Offset);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData(null)]
    public async Task Damaged_mark_file_counts_as_offset_zero(string? content)
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        string mark = TheFile(".mark");
        File.Delete(mark);
        if (content is not null)
        {
            File.WriteAllBytes(mark, Encoding.ASCII.GetBytes(content));
        }

        Assert.Equal(10, (await GetAsync(store)).Offset);
        Assert.Equal(15, (await AppendAsync(store, 10, Bytes(5))).Offset);
        Assert.Equal(15, DurableOffsetFile.Read(Files, mark).GetTrusted(Files.BootId)!.Value.Offset);
    }

    [Fact]
    public async Task Data_file_shorter_than_the_durable_offset_is_logged_once()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(100));
        using (FileStream data = File.OpenWrite(TheFile(".data")))
        {
            data.SetLength(40);
        }

        Assert.Equal(40, (await GetAsync(store)).Offset);
        Assert.Equal(40, (await GetAsync(store)).Offset);
        Assert.Equal((LogLevel.Error, 102), Assert.Single(Logs.Lines.Select(line => (line.Level, line.Id))));
        Assert.Equal(45, (await AppendAsync(store, 40, Bytes(5))).Offset);
    }

    [Fact]
    public async Task Get_and_OpenRead_during_an_append_stop_at_the_durable_offset()
    {
        FileSystemUploadStore store = NewStore(syncSize: 100);
        await CreateAsync(store);
        var content = new FedContent();
        Task<AppendResult> append = store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None).AsTask();
        await content.FeedAsync(Bytes(100));
        await content.FirstReported.Task.WaitAsync(TestTimeout, None);
        var written = new TaskCompletionSource();
        Files.After = (step, path) =>
        {
            if (step == "write")
            {
                written.TrySetResult();
            }
        };
        await content.FeedAsync(Bytes(10));
        await written.Task.WaitAsync(TestTimeout, None);

        Assert.Equal(100, (await GetAsync(store)).Offset);
        Assert.Equal(100, (await ReadAsync(store)).Length);

        content.End();
        Assert.Equal(110, (await append.WaitAsync(TestTimeout, None)).Offset);
        Assert.Equal(110, (await GetAsync(store)).Offset);
    }

    /// <summary>Machines that share the directory have different boot ids, and processes of one machine where the system has no such id.</summary>
    [Fact]
    public async Task Slot_without_confirmation_does_not_count_during_an_append_of_another_boot()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        using var release = new ManualResetEventSlim();
        var hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Files.Before = (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".mark", StringComparison.Ordinal))
            {
                hangs.TrySetResult();
                release.Wait(TestTimeout);
            }
        };
        Task<AppendResult> append = AppendAsync(store, 0, Bytes(10));
        await hangs.Task.WaitAsync(TestTimeout, None);
        FileSystemUploadStore other = NewStore(files: new FaultyFiles { Boot = OtherBoot });

        Assert.Equal(0, (await GetAsync(other)).Offset);
        Assert.Equal((AppendStatus.Busy, 0L), ((await AppendAsync(other, 0, Bytes(1))).Status, (await AppendAsync(other, 0, Bytes(1))).Offset));

        release.Set();
        Assert.Equal(10, (await append).Offset);
        Assert.Equal(10, (await GetAsync(other)).Offset);
    }

    private void WriteWithoutTheStore(byte[] bytes)
    {
        using FileStream data = File.Open(TheFile(".data"), FileMode.Append);
        data.Write(bytes);
    }

    private static DurableOffsetSlots Write(FileLayer files, OpenFile file, DurableOffsetSlots slots, long offset, string boot)
    {
        var context = new StoreContext(
            new FileSystemUploadStoreOptions(), new StorePaths("/"), files, TimeProvider.System, NullLogger.Instance, new DiskScheduler("test", maxThreads: 0, TimeProvider.System));
        return DurableOffsetFile.Write(context, file, slots, new DurableOffsetSlot { Offset = offset, BootId = boot });
    }
}

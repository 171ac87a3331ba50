using System.Text;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.Operations;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Records;

public class FileSystemRecordTests : FileSystemStoreTest
{
    private string RecordPath => Path.Combine(UploadDirectory, "record.json");

    public static TheoryData<string> Texts => ["", "plain", "two\nlines\n", "{\"format\":1}\n"];

    [Theory]
    [MemberData(nameof(Texts))]
    public void Decode_returns_the_encoded_record(string text)
    {
        var stored = new StoredRecord
        {
            Nonce = NonceGenerator.Next(),
            Generation = 7,
            WriteCount = 9,
            Record = new UploadRecord
            {
                State = UploadState.Received,
                Length = long.MaxValue,
                SlidingExpiration = TimeSpan.FromTicks(1234567890123),
                AbsoluteExpiration = new DateTimeOffset(2031, 2, 3, 4, 5, 6, TimeSpan.FromHours(2)).AddTicks(7),
                Data = Encoding.UTF8.GetBytes(text),
            },
            LastUpdated = Time.GetUtcNow().AddTicks(3),
            Durability = Durability.ProcessCrash,
            CreationBootId = "b",
            FinalOffset = 5,
            StagingOffset = 6,
            MovedTo = "/a \"quoted\"\nplace é",
            IsAppendable = true,
        };

        StoredRecord? read = RecordCodec.Decode(RecordCodec.Encode(stored).Span).Record;

        Assert.NotNull(read);
        Assert.Equal(stored.Record.Data.ToArray(), read.Record.Data.ToArray());
        Assert.Equal(stored, read with { Record = stored.Record, EndPosition = 0 });
        Assert.Equal(stored.Record, read.Record with { Data = stored.Record.Data });
        Assert.Equal(TimeSpan.FromHours(2), read.Record.AbsoluteExpiration!.Value.Offset);
    }

    [Fact]
    public void Decode_with_any_changed_byte_returns_no_record()
    {
        byte[] bytes = RecordCodec.Encode(new StoredRecord
        {
            Nonce = "n", Record = new UploadRecord { Data = "data"u8.ToArray() }, LastUpdated = Time.GetUtcNow(), Durability = Durability.PowerLoss, CreationBootId = "b",
        }).ToArray();
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] changed = [.. bytes];
            changed[i] ^= 1;
            Assert.Null(RecordCodec.Decode(changed).Record);
        }
    }

    [Fact]
    public async Task Truncated_record_is_quarantined_and_frees_the_key()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store, record: new UploadRecord { Data = "two\nlines"u8.ToArray() });
        int length = File.ReadAllBytes(RecordPath).Length;
        for (int cut = 0; cut < length; cut++)
        {
            File.WriteAllBytes(RecordPath, File.ReadAllBytes(RecordPath)[..cut]);

            Assert.Null(await store.GetAsync(Key, None));
            Assert.Equal(cut + 1, Directory.GetDirectories(Path.Combine(StoreRoot, "quarantine")).Length);
            await CreateAsync(store, record: new UploadRecord { Data = "two\nlines"u8.ToArray() });
        }

        Assert.All(Logs.Lines, line => Assert.Equal((LogLevel.Error, 100), (line.Level, line.Id)));
        Assert.Contains(UploadDirectory, Logs.Lines[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Truncated_record_is_repaired_from_the_temporary_file()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        UploadInfo created = await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(10));
        byte[] record = File.ReadAllBytes(RecordPath);
        for (int cut = 0; cut < record.Length; cut += 7)
        {
            File.WriteAllBytes(RecordPath + ".tmp", record);
            File.WriteAllBytes(RecordPath, record[..cut]);

            UploadInfo info = await GetAsync(store);

            Assert.Equal(10, info.Offset);
            Assert.StartsWith(created.Version[..32], info.Version, StringComparison.Ordinal);
            Assert.False(File.Exists(RecordPath + ".tmp"));
        }

        Assert.All(Logs.Lines, line => Assert.Equal((LogLevel.Warning, 101), (line.Level, line.Id)));
    }

    [Fact]
    public async Task Damaged_record_is_not_replaced_by_one_from_before_a_later_change()
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo created = await CreateAsync(store);
        File.Copy(RecordPath, Path.Combine(UploadDirectory, StorePaths.NextRecordFileName));
        UpdateResult updated = await store.UpdateAsync(Key, created.Version, created.Record with { Length = 7 }, None);
        Assert.Equal(ChangeStatus.Succeeded, updated.Status);
        File.WriteAllText(RecordPath, "damaged");

        Assert.Null(await store.GetAsync(Key, None));
        Assert.Equal((LogLevel.Error, 100), (Assert.Single(Logs.Lines).Level, Logs.Lines[0].Id));
    }

    [Fact]
    public async Task Calls_for_an_upload_with_a_damaged_record_do_not_throw()
    {
        FileSystemUploadStore store = NewStore();
        foreach (Func<Task> call in (Func<Task>[])
        [
            async () => Assert.Equal(AppendStatus.NotFound, (await AppendAsync(store, 0, Bytes(1))).Status),
            async () => Assert.Equal(ChangeStatus.NotFound, (await store.UpdateAsync(Key, "v", new UploadRecord(), None)).Status),
            async () => Assert.Equal(ChangeStatus.NotFound, (await store.DeleteAsync(Key, "v", None)).Status),
            async () => Assert.Null(await store.OpenReadAsync(Key, None)),
            async () => Assert.Equal(MoveStatus.NotFound, (await store.MoveAsync(Path.Combine(Root, "t"), false, None)).Status),
            async () => Assert.Equal(ChangeStatus.NotFound, (await store.CompleteAsync(Key, "v", new UploadRecord { State = UploadState.Completed }, new byte[1], None)).Status),
            async () => Assert.Null(await store.GetResponseAsync(Key, None)),
            async () => Assert.Empty(await store.ListAsync(new UploadQuery(), None).ToListAsync(None)),
        ])
        {
            await CreateAsync(store);
            File.WriteAllText(RecordPath, "garbage");
            await call();
            Assert.False(Directory.Exists(UploadDirectory));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Directory_without_a_record_is_quarantined_by_list_and_create(bool isListed)
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        File.Delete(Path.Combine(UploadDirectory, "record.json"));

        Assert.Null(await store.GetAsync(Key, None));
        Assert.True(Directory.Exists(UploadDirectory));
        if (isListed)
        {
            Assert.Empty(await store.ListAsync(new UploadQuery(), None).ToListAsync(None));
            Assert.False(Directory.Exists(UploadDirectory));
        }

        UploadInfo created = await CreateAsync(store);
        Assert.Equal(created.Version, (await store.GetAsync(Key, None))!.Version);
        Assert.Single(Directory.GetDirectories(Path.Combine(StoreRoot, "quarantine")));
        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Record_with_a_newer_format_is_left_untouched()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        const string Newer = "{\"format\":4,\"anything\":true}\n\0\u0001";
        File.WriteAllText(RecordPath, Newer);

        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(async () => await store.GetAsync(Key, None));

        Assert.Equal(StoreFailure.Unavailable, error.Failure);
        Assert.Contains("newer", error.Message, StringComparison.Ordinal);
        Assert.Equal(Newer, File.ReadAllText(RecordPath));
        Assert.Equal(CreateStatus.AlreadyExists, (await store.CreateAsync(Key, new UploadRecord(), None)).Status);
        Assert.Empty(await store.ListAsync(new UploadQuery(), None).ToListAsync(None));
    }

    [Fact]
    public async Task Damaged_record_is_left_untouched_if_a_newer_build_can_repair_it()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        File.WriteAllText(RecordPath, "damaged");
        File.WriteAllText(RecordPath + ".tmp", "{\"format\":4}");

        await Assert.ThrowsAsync<UploadStoreException>(async () => await store.GetAsync(Key, None));

        Assert.Equal("damaged", File.ReadAllText(RecordPath));
        Assert.Empty(Logs.Lines);
    }

    [Fact]
    public async Task Missing_data_file_frees_the_key()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        File.Delete(TheFile(".data"));

        Assert.Null(await store.GetAsync(Key, None));

        Assert.Contains(Logs.Lines, line => line.Id == 100 && line.Text.Contains("data file is missing", StringComparison.Ordinal));
        await CreateAsync(store);
    }

    [Fact]
    public async Task Missing_lock_file_is_created_again()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        File.Delete(TheFile(".lock"));

        Assert.Equal(AppendStatus.Appended, (await AppendAsync(store, 0, Bytes(3))).Status);
    }

    [Fact]
    public async Task Quarantine_of_an_intact_upload_moves_it_back()
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo info = await CreateAsync(store);

        Quarantine();

        Assert.Equal(info.Version, (await GetAsync(store)).Version);
        Assert.Empty(Logs.Lines);
    }

    [Fact]
    public async Task Quarantine_of_an_upload_with_a_newer_format_moves_it_back()
    {
        await CreateAsync(NewStore());
        File.WriteAllText(RecordPath, "{\"format\":4}");

        UploadStoreException error = Assert.Throws<UploadStoreException>(Quarantine);

        Assert.Equal(StoreFailure.Unavailable, error.Failure);
        Assert.Equal("{\"format\":4}", File.ReadAllText(RecordPath));
        Assert.Empty(Logs.Lines);
    }

    private void Quarantine()
    {
        var context = new StoreContext(new FileSystemUploadStoreOptions(), new StorePaths(StoreRoot), Files, Time, Logs, new DiskScheduler("test", maxThreads: 0, Time));
        new RecordFile(context, new DirectorySync(context)).Quarantine(Key, "it was damaged");
    }
}

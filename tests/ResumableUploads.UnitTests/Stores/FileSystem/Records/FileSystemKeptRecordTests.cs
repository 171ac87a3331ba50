using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Records;

/// <summary>Records that stay open between two calls, while another process changes them.</summary>
public class FileSystemKeptRecordTests : FileSystemStoreTest
{
    private readonly CountingFiles _counting = new();

    [Fact]
    public async Task Creation_status_and_append_read_no_record()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux keeps files open.");
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash, _counting);
        UploadInfo created = await CreateAsync(store);
        Assert.Equal(created.Version, (await GetAsync(store)).Version);
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(store, 0, Bytes(10))).Status);
        Assert.Equal(0, _counting.Reads);

        Assert.Equal(10, (await GetAsync(store)).Offset);
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(store, 10, Bytes(10))).Status);
        Assert.Equal(1, _counting.Reads);
    }

    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Change_of_another_process_is_read(Durability durability)
    {
        FileSystemUploadStore store = NewStore(durability);
        FileSystemUploadStore other = NewStore(durability, new FaultyFiles());
        UploadInfo info = await CreateAsync(store);
        for (byte i = 0; i < 20; i++)
        {
            Assert.Equal(info.Version, (await GetAsync(store)).Version);
            info = (await other.UpdateAsync(Key, info.Version, new UploadRecord { Data = new[] { i } }, None)).Info!;
            if (i % 2 == 0)
            {
                Assert.Equal(i, (await GetAsync(store)).Record.Data.Span[0]);
            }

            AppendResult appended = await AppendAsync(store, i, [i]);
            Assert.Equal(AppendStatus.Appended, appended.Status);
            info = await GetAsync(other);
            Assert.Equal(appended.Version, info.Version);
            Assert.Equal(i, info.Record.Data.Span[0]);
        }
    }

    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Upload_that_another_process_replaced_is_read(Durability durability)
    {
        FileSystemUploadStore store = NewStore(durability);
        FileSystemUploadStore other = NewStore(durability, new FaultyFiles());
        UploadInfo first = await CreateAsync(store);
        Assert.Equal(first.Version, (await GetAsync(store)).Version);
        await other.DeleteAsync(Key, null, None);
        Assert.Equal(AppendStatus.NotFound, (await AppendAsync(store, 0, [1])).Status);
        Assert.Null(await store.GetAsync(Key, None));

        UploadInfo second = await CreateAsync(store);
        Assert.Equal(second.Version, (await GetAsync(store)).Version);
        await other.DeleteAsync(Key, null, None);
        UploadInfo third = await CreateAsync(other);
        Assert.Equal(third.Version, (await GetAsync(store)).Version);
        Assert.StartsWith(third.Version[..32], (await AppendAsync(store, 0, [1])).Version, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Change_of_another_process_is_read_during_its_append()
    {
        FileSystemUploadStore store = NewStore();
        var otherFiles = new FaultyFiles();
        FileSystemUploadStore other = NewStore(files: otherFiles);
        UploadInfo created = await CreateAsync(store);
        await GetAsync(store);
        Assert.Equal(ChangeStatus.Succeeded, (await other.UpdateAsync(Key, created.Version, new UploadRecord { Data = new byte[] { 7 } }, None)).Status);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        otherFiles.After = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                written.TrySetResult();
            }
        };
        var content = new FedContent();
        Task<AppendResult> append = other.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None).AsTask();
        await content.FeedAsync(Bytes(10));
        await written.Task.WaitAsync(TestTimeout, None);

        Assert.Equal(7, (await GetAsync(store)).Record.Data.Span[0]);

        content.End();
        Assert.Equal(AppendStatus.Appended, (await append).Status);
    }

    /// <summary>Counts how often a record is read.</summary>
    private sealed class CountingFiles : DelegatingFileLayer
    {
        public int Reads { get; private set; }

        public override FileSnapshot? ReadSnapshot(string path, int maxLength)
        {
            Reads++;
            return base.ReadSnapshot(path, maxLength);
        }
    }
}

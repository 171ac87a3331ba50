using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Appending;

/// <summary>Appends that write the record of the upload together with its last bytes.</summary>
public class FileSystemFinalRecordTests : FileSystemStoreTest
{
    private const int NoSpace = 28;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_is_synced_before_the_record_is_replaced(bool isDeferrable)
    {
        List<string> steps = RecordSteps();
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        steps.Clear();
        await AppendFinalAsync(store, isDeferrable);
        Assert.Equal(
            isDeferrable ? ["sync .mark", "sync .data", "replace record.json"] : ["sync .data", "replace record.json", "sync record.json.tmp", "sync-directory upload-1"],
            steps);
    }

    [Theory]
    [InlineData(Durability.PowerLoss, false)]
    [InlineData(Durability.PowerLoss, true)]
    [InlineData(Durability.ProcessCrash, false)]
    public async Task Record_that_cannot_be_written_leaves_the_bytes_durable(Durability durability, bool isDeferrable)
    {
        FileSystemUploadStore store = NewStore(durability);
        await CreateAsync(store);
        Files.Before = static (_, path) =>
        {
            if (path.EndsWith("record.json", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(NoSpace);
            }
        };
        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => AppendFinalAsync(store, isDeferrable));
        Assert.Equal((StoreFailure.Full, 50L), (error.Failure, error.DurableOffset));

        // Another boot: only what is durable counts.
        Files.Before = null;
        var later = new FaultyFiles { Boot = "00000000-0000-0000-0000-00000000000b" };
        UploadInfo info = await GetAsync(NewStore(durability, later));
        Assert.Equal((UploadState.Receiving, 50L), (info.State, info.Offset));
        Assert.Equal(Bytes(50), await ReadAsync(store));
        Assert.Equal(UploadState.Received, (await AppendFinalAsync(store, isDeferrable, offset: 50)).Updated?.State);
    }

    [Fact]
    public async Task Content_that_cannot_be_synced_leaves_the_record_and_no_bytes()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        Files.Before = static (step, path) =>
        {
            if (step == "sync" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(5);
            }
        };
        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => AppendFinalAsync(store, isDeferrable: false));
        Files.Before = null;
        UploadInfo info = await GetAsync(store);
        Assert.Equal((0L, UploadState.Receiving, 0L), (error.DurableOffset, info.State, info.Offset));
    }

    [Fact]
    public async Task Final_record_changes_LastModified_to_the_time_of_the_append()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        await CreateAsync(store);
        Time.Advance(TimeSpan.FromMinutes(7));
        await AppendFinalAsync(store, isDeferrable: false);
        Assert.Equal(Time.GetUtcNow(), (await GetAsync(store)).LastModified);
    }

    private static async Task<AppendResult> AppendFinalAsync(FileSystemUploadStore store, bool isDeferrable, int offset = 0)
    {
        var record = new UploadRecord { State = UploadState.Received, Length = 50 };
        RecordingContent content = RecordingContent.FromBytes(Bytes(50 - offset), _ => new FinalRecord(record, isDeferrable));
        return await store.AppendAsync(Key, offset, content, AppendMode.KeepPartial, None);
    }

    private List<string> RecordSteps()
    {
        List<string> steps = [];
        Files.Before = (step, path) =>
        {
            if (step.StartsWith("sync", StringComparison.Ordinal) || step == "replace")
            {
                lock (steps)
                {
                    steps.Add($"{step} {(path.EndsWith(".data", StringComparison.Ordinal) || path.EndsWith(".mark", StringComparison.Ordinal) ? Path.GetExtension(path) : Path.GetFileName(path))}");
                }
            }
        };
        return steps;
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Faults;

/// <summary>Another program has deleted the lock file of an upload that must be repaired before it is reported.</summary>
public sealed class LostLockFileTests : FileSystemStoreTest
{
    [Fact]
    public async Task Status_of_an_upload_with_bytes_of_a_killed_process_restores_the_lock_file()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(100));
        await using (FileStream data = File.OpenWrite(TheFile(".data")))
        {
            data.Seek(0, SeekOrigin.End);
            data.Write(Bytes(50, seed: 2));
        }

        File.Delete(TheFile(".lock"));

        Assert.Equal(150, (await GetAsync(NewStore(files: new FaultyFiles()))).Offset);
        Assert.True(File.Exists(TheFile(".lock")));
    }

    [Fact]
    public async Task Status_of_an_upload_whose_record_could_not_be_synced_restores_the_lock_file()
    {
        FileSystemUploadStore store = NewStore();
        UploadInfo info = await ReceiveAsync(store, Bytes(100));
        File.SetLastWriteTimeUtc(Path.Combine(UploadDirectory, "record.json"), DateTime.UnixEpoch.AddSeconds(1));
        File.Delete(TheFile(".lock"));

        Assert.Equal(info.Version, (await GetAsync(NewStore(files: new FaultyFiles()))).Version);
        Assert.True(File.Exists(TheFile(".lock")));
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Faults;

/// <summary>The durability of an upload is fixed at its creation. That of the store can change.</summary>
public sealed class DeleteDurabilityTests : FileSystemStoreTest
{
    [Theory]
    [InlineData(Durability.PowerLoss, false, true)]
    [InlineData(Durability.PowerLoss, true, true)]
    [InlineData(Durability.ProcessCrash, false, false)]
    [InlineData(Durability.ProcessCrash, true, false)]
    public async Task Deletion_is_as_durable_as_the_upload(Durability durability, bool hasVersion, bool isSynced)
    {
        UploadInfo info = await CreateAsync(NewStore(durability));
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        List<string> synced = [];
        Files.Before = (step, path) =>
        {
            if (step == "sync-directory")
            {
                synced.Add(path);
            }
        };

        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, hasVersion ? info.Version : null, None)).Status);

        Assert.Equal(isSynced, synced.Contains(Path.GetDirectoryName(UploadDirectory)!));
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Faults;

/// <summary>A killed append leaves preallocated space behind the end of its file. A truncation to the length of the file gives it back.</summary>
public sealed class KilledPreallocationTests : FileSystemStoreTest
{
    private const int Length = 8 << 20;

    [Theory]
    [InlineData(Durability.PowerLoss)]
    [InlineData(Durability.ProcessCrash)]
    public async Task Next_append_gives_space_of_a_killed_append_back(Durability durability)
    {
        FileSystemUploadStore store = NewStore(durability);
        await CreateAsync(store);
        long? preallocated = null;
        Files.Hinted = (hint, offset, length) => preallocated = hint == "allocate" ? offset + length : preallocated;
        Files.Before = static (step, path) =>
        {
            if (step == "truncate")
            {
                throw new ProcessDied();
            }
        };
        var content = new FedContent { Announced = 1L << 40 };
        await content.FeedAsync(Bytes(Length));
        content.End();
        await Assert.ThrowsAsync<ProcessDied>(async () => await store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, None));
        Assert.True(preallocated > Length);

        List<long> truncated = [];
        var disk = new FaultyFiles();
        disk.Before = (step, path) =>
        {
            if (step == "truncate")
            {
                truncated.Add(new FileInfo(path).Length);
            }
        };
        FileSystemUploadStore next = NewStore(durability, disk);
        Assert.Equal(Length + 5, (await AppendAsync(next, Length, Bytes(5))).Offset);

        Assert.Contains(Length + 5L, truncated);
        Assert.Equal((byte[])[.. Bytes(Length), .. Bytes(5)], await ReadAsync(next));
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>The clock of a file server that differs from that of the machine.</summary>
public class StorageClockTests : FileSystemStoreTest
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(5)]
    [InlineData(-5)]
    public async Task Times_of_uploads_are_those_of_the_storage(int skewMinutes)
    {
        var store = new FileSystemUploadStore(
            new FileSystemUploadStoreOptions { Directory = StoreRoot }, TimeProvider.System, null, new ServerFiles(TimeSpan.FromMinutes(skewMinutes)));
        DateTimeOffset read = await store.GetUtcNowAsync(None);
        DateTimeOffset created = (await CreateAsync(store)).LastModified;
        await AppendAsync(store, 0, [1]);
        DateTimeOffset[] times = [read, created, (await GetAsync(store)).LastModified, await store.GetUtcNowAsync(None)];
        DateTimeOffset expected = TimeProvider.System.GetUtcNow().AddMinutes(skewMinutes);
        Assert.All(times, time => Assert.InRange(time, expected - Tolerance, expected + Tolerance));
    }

    [Fact]
    public async Task Time_provider_of_the_application_is_the_clock_of_the_storage()
    {
        FileSystemUploadStore store = NewStore();
        Assert.Equal(Time.GetUtcNow(), await store.GetUtcNowAsync(None));
        Assert.False(File.Exists(Path.Combine(StoreRoot, "clock")));
    }

    /// <summary>Files whose modification time is set by a server with another clock.</summary>
    private sealed class ServerFiles(TimeSpan difference) : DelegatingFileLayer
    {
        public override FileStat? Stat(string path) => base.Stat(path) is not { } stat ? null
            : Path.GetFileName(path) == "clock" ? stat with { LastWriteTime = stat.LastWriteTime + difference }
            : stat;
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Appending;

/// <summary>Another program changes the data file during an append. No byte that was not received is ever acknowledged.</summary>
public sealed class ForeignBytesTests : FileSystemStoreTest
{
    private const int DiskFull = 28;

    [Theory]
    [InlineData(Durability.PowerLoss, 7)]
    [InlineData(Durability.PowerLoss, -1)]
    [InlineData(Durability.PowerLoss, -25)]
    [InlineData(Durability.ProcessCrash, 7)]
    [InlineData(Durability.ProcessCrash, -1)]
    public async Task Append_to_a_file_of_another_length_keeps_only_durable_bytes(Durability durability, int change)
    {
        FileSystemUploadStore store = NewStore(durability);
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(20));
        ChangeLengthAfterWrite(change);
        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(store, 20, Bytes(10, seed: 2)));
        Files.After = null;

        int expected = Math.Min(20, 30 + change);
        Assert.Equal((StoreFailure.Corrupt, expected), (error.Failure, error.DurableOffset));
        await AssertPrefixAsync(NewStore(durability, new FaultyFiles()), Bytes(20)[..expected]);
    }

    [Fact]
    public async Task Failed_write_to_a_file_that_another_program_extended_keeps_only_durable_bytes()
    {
        FileSystemUploadStore store = NewStore();
        await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(20));
        Files.Before = (step, path) =>
        {
            if (step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                SetLength(20 + 11);
                throw FaultyFiles.Error(DiskFull);
            }
        };
        UploadStoreException error = await Assert.ThrowsAsync<UploadStoreException>(() => AppendAsync(store, 20, Bytes(10, seed: 2)));
        Files.Before = null;

        Assert.Equal((StoreFailure.Full, 20), (error.Failure, error.DurableOffset));
        await AssertPrefixAsync(NewStore(files: new FaultyFiles()), Bytes(20));
    }

    private static async Task AssertPrefixAsync(FileSystemUploadStore store, byte[] expected)
    {
        Assert.Equal(expected.Length, (await GetAsync(store)).Offset);
        Assert.Equal(expected, await ReadAsync(store));
        byte[] rest = Bytes(10, seed: 3);
        Assert.Equal(expected.Length + rest.Length, (await AppendAsync(store, expected.Length, rest)).Offset);
        Assert.Equal((byte[])[.. expected, .. rest], await ReadAsync(store));
    }

    private void ChangeLengthAfterWrite(int change)
    {
        bool isChanged = false;
        Files.After = (step, path) =>
        {
            if (!isChanged && step == "write" && path.EndsWith(".data", StringComparison.Ordinal))
            {
                isChanged = true;
                SetLength(new FileInfo(path).Length + change);
            }
        };
    }

    private void SetLength(long length)
    {
        using FileStream data = File.OpenWrite(TheFile(".data"));
        data.SetLength(length);
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Faults;

/// <summary>A repair of the file system, or another program, has cut off bytes of a finished upload.</summary>
public sealed class ShortDataFileTests : FileSystemStoreTest
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(60, false)]
    [InlineData(60, true)]
    public async Task Read_fails_at_the_end_of_a_data_file_that_is_too_short(int rest, bool isSynchronous)
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(100));
        await using (FileStream data = File.OpenWrite(TheFile(".data")))
        {
            data.SetLength(rest);
        }

        await using Stream content = (await store.OpenReadAsync(Key, None))!;
        var copy = new MemoryStream();
        Exception? failure = isSynchronous ? Record.Exception(() => content.CopyTo(copy)) : await Record.ExceptionAsync(() => content.CopyToAsync(copy, None));

        UploadStoreException error = Assert.IsType<UploadStoreException>(failure);
        Assert.Equal((StoreFailure.Corrupt, (long)rest), (error.Failure, copy.Length));
        Assert.Contains($"ended after {rest} of 100 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_behind_the_end_of_the_content_returns_no_bytes()
    {
        FileSystemUploadStore store = NewStore();
        await ReceiveAsync(store, Bytes(100));
        await using Stream content = (await store.OpenReadAsync(Key, None))!;
        content.Position = 200;
        Assert.Equal(0, await content.ReadAsync(new byte[10], None));
        content.Position = 50;
        Assert.Equal(0, await content.ReadAsync(Memory<byte>.Empty, None));
    }
}

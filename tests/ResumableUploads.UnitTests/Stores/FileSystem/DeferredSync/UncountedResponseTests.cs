using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.DeferredSync;

/// <summary>Responses in files of their own, whose record could not be written.</summary>
public sealed class UncountedResponseTests : DeferredSyncTest
{
    private const int Length = RecordCodec.MaxResponseLength + 1;

    [Fact]
    public async Task Response_of_a_failed_completion_is_not_returned_after_one_without_a_response()
    {
        UploadInfo info = await ReceiveAsync(Store, Bytes(100));
        await FailToCompleteAsync(info, Bytes(Length));
        Assert.Null(await GetResponseAsync());

        Assert.Equal(ChangeStatus.Succeeded, (await Store.UpdateAsync(Key, info.Version, Completed, None)).Status);

        Assert.Null(await GetResponseAsync());
        Assert.Null(await GetResponseAsync(NewStore()));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(Length + 1)]
    public async Task Failed_completion_keeps_the_response_of_an_earlier_run(int earlier)
    {
        UploadInfo info = await CompleteAsync(await ReceiveAsync(Store, Bytes(100)), Bytes(earlier));

        await FailToCompleteAsync(info, Bytes(Length, seed: 2));

        Assert.Equal(Bytes(earlier), await GetResponseAsync());
        await CompleteAsync(info, Bytes(Length, seed: 3));
        Assert.Equal(Bytes(Length, seed: 3), await GetResponseAsync());
    }

    [Fact]
    public async Task Long_response_that_was_not_written_is_not_stored_in_the_record()
    {
        var files = new WithoutResponseFiles();
        FileSystemUploadStore store = NewStore(files: files);
        UploadInfo info = await ReceiveAsync(store, Bytes(100));

        Assert.Equal(new UpdateResult(ChangeStatus.NotFound, null), await store.CompleteAsync(Key, info.Version, Completed, Bytes(1024 * 1024), None));

        Assert.Equal(info.Version, (await GetAsync(store)).Version);
        Assert.Empty(Directory.GetDirectories(Path.Combine(StoreRoot, "quarantine")));
    }

    [Fact]
    public async Task Response_that_another_call_replaces_while_it_is_read_is_the_new_one()
    {
        UploadInfo info = await CompleteAsync(await ReceiveAsync(Store, Bytes(100)), Bytes(Length));
        var files = new SlowReader();
        FileSystemUploadStore reader = NewStore(files: files);
        files.BeforeResponse = () => CompleteAsync(info, Bytes(Length, seed: 2)).GetAwaiter().GetResult();

        Assert.Equal(Bytes(Length, seed: 2), await GetResponseAsync(reader));
    }

    private async Task FailToCompleteAsync(UploadInfo info, byte[] response)
    {
        Disk.Before = static (step, path) =>
        {
            if (step == "replace" && path.EndsWith("record.json", StringComparison.Ordinal))
            {
                throw FaultyFiles.Error(NativeMethods.ENOSPC);
            }
        };
        await Assert.ThrowsAsync<UploadStoreException>(async () => await Store.CompleteAsync(Key, info.Version, Completed, response, None));
        Disk.Before = null;
        Assert.Equal(info.Version, (await GetAsync(Store)).Version);
    }

    /// <summary>Finds another upload in the directory when a response is stored, and the expected one afterwards.</summary>
    private sealed class WithoutResponseFiles : FaultyFiles
    {
        public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content) =>
            replacement.Name.EndsWith("outcome", StringComparison.Ordinal) ? null : base.ReplaceFile(replacement, content);
    }

    private sealed class SlowReader : DelegatingFileLayer
    {
        private Action? _beforeResponse;

        public Action BeforeResponse
        {
            set => _beforeResponse = value;
        }

        public override FileSnapshot? ReadSnapshot(string path, int maxLength)
        {
            if (path.EndsWith("outcome", StringComparison.Ordinal))
            {
                Interlocked.Exchange(ref _beforeResponse, null)?.Invoke();
            }

            return base.ReadSnapshot(path, maxLength);
        }
    }
}

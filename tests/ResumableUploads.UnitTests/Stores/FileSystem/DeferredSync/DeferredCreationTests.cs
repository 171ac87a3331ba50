using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.UnitTests.Stores.FileSystem.DeferredSync;

/// <summary>Uploads whose name becomes durable with a later change.</summary>
public sealed class DeferredCreationTests : DeferredSyncTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Creation_syncs_the_content_and_the_ancestors_only_if_it_is_not_deferred(bool isDeferred)
    {
        await CreateDirectoriesAsync();
        UploadInfo created = isDeferred
            ? await CreateCompletedDeferredAsync(Bytes(100))
            : (await Store.CreateCompletedAsync(Key, Received(1), new ReadOnlySequence<byte>(Bytes(100)), None)).Info!;
        string[] files = ["new", "new/data", "new/record"];
        Assert.Equal(isDeferred ? files : [.. files, "owner", "owner/up", "uploads"], Syncs);
        Assert.Equal(files, Groups[0]);
        Assert.Equal(isDeferred ? 1 : 2, Groups.Length);

        Clear();
        Assert.Equal(created.Version, (await Store.GetUnsyncedAsync(Key, None))!.Version);
        Assert.Equal(Bytes(100), await ReadAsync(Store));
        Assert.Empty(Syncs);
        Assert.Equal(created.Version, (await GetAsync(Store)).Version);
        Assert.Equal(isDeferred ? RecordAndAncestors : [], Syncs);
    }

    [Fact]
    public async Task Completion_makes_the_deferred_creation_durable_in_one_step()
    {
        UploadInfo created = await CreateCompletedDeferredAsync(Bytes(100));
        Clear();
        await CompleteAsync(created, Bytes(10));
        Assert.Equal(RecordAndAncestors, Assert.Single(Groups));
        Assert.Equal(RecordAndAncestors, Syncs);
        Assert.Empty(ExtraFiles);

        Clear();
        Assert.Equal(UploadState.Completed, (await GetAsync(Store)).State);
        Assert.Equal(Bytes(10), await GetResponseAsync());
        Assert.Equal(Bytes(100), await ReadAsync(Store));
        Assert.Empty(Syncs);
    }

    [Fact]
    public async Task Deferred_update_of_a_deferred_creation_makes_no_sync()
    {
        UploadInfo created = await CreateCompletedDeferredAsync(Bytes(100));
        Clear();
        UploadInfo updated = await UpdateDeferredAsync(created, data: 2);
        Assert.Empty(Syncs);
        await CompleteAsync(updated, Bytes(10));
        Assert.Equal(RecordAndAncestors, Assert.Single(Groups));
        Assert.Empty(ExtraFiles);
    }

    [Fact]
    public async Task Creation_with_an_existing_key_changes_nothing()
    {
        UploadInfo before = await CreateAsync(Store);
        CreateResult result = await Store.CreateCompletedDeferredAsync(Key, Received(1), new ReadOnlySequence<byte>(Bytes(100)), None);
        Assert.Equal(new CreateResult(CreateStatus.AlreadyExists, null), result);
        Assert.Equal(before.Version, (await GetAsync(Store)).Version);
        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Deletion_of_a_deferred_creation_succeeds()
    {
        UploadInfo created = await CreateCompletedDeferredAsync(Bytes(100));
        Assert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, created.Version, None)).Status);
        Assert.Null(await Store.GetUnsyncedAsync(Key, None));
    }

    [Fact]
    public async Task Creation_that_is_receiving_or_too_long_throws()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CreateCompletedDeferredAsync(Key, new UploadRecord(), ReadOnlySequence<byte>.Empty, None));
        var content = new ReadOnlySequence<byte>(new byte[Store.MaxCompletedLength + 1]);
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CreateCompletedDeferredAsync(Key, Received(1), content, None));
        Assert.Null(await Store.GetAsync(Key, None));
    }

    /// <summary>Creates an upload, so that the next one finds all directories.</summary>
    private async Task CreateDirectoriesAsync()
    {
        await CreateAsync(Store, new UploadKey("owner", "upload-2"));
        Clear();
    }
}

using System.Buffers;
using Azure.Core;
using Azure.Core.Pipeline;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>An upload that replaces another one: crashes between the requests, and other servers that change the upload or remember the old one.</summary>
[Collection(nameof(AzuriteTests))]
public class ReplacementTests(AzuriteServer server)
{
    private static readonly UploadKey Key = new("owner", "upload");
    private static readonly UploadKey ReplacementKey = new("owner", "replacement");
    private static readonly byte[] Old = [.. Enumerable.Range(0, 1000).Select(static i => (byte)(i * 3))];
    private static readonly byte[] New = [.. Enumerable.Range(0, 2000).Select(static i => (byte)(i * 5))];
    private static readonly byte[] More = [1, 2, 3];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A replacement makes 4 writes, and 6 if the old upload has replaced another one itself.</summary>
    public static TheoryData<int, bool, bool> Crashes =>
        [.. from isRepeated in (bool[])[false, true] from write in Enumerable.Range(0, isRepeated ? 6 : 4) from isCarriedOut in (bool[])[false, true] select (write, isCarriedOut, isRepeated)];

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task Crash_at_any_write_leaves_the_old_or_the_new_upload(int write, bool isCarriedOut, bool isRepeated)
    {
        var crash = new CrashPolicy();
        AzureBlobUploadStore store = await server.OpenStoreAsync(options: null, crash);
        AzureBlobUploadStore other = server.OpenSecondStore(store);
        UploadInfo old = await CreateOldAsync(store, isRepeated);
        UploadInfo replacement = await CreateAsync(store, ReplacementKey, New);
        crash.Arm(write, isCarriedOut);
        bool isAcknowledged = await TryReplaceAsync(store, old, replacement);
        Assert.True(crash.HasCrashed);

        UploadInfo current = (await other.GetAsync(Key, Token))!;
        bool isNew = current.Offset == New.Length;
        Assert.True(isNew || !isAcknowledged);
        Assert.Equal(isNew ? New : Old, await ReadAsync(other, Key));
        Assert.Equal(isNew ? replacement.Version : old.Version, current.Version);
        List<UploadKey> listed = await other.ListAsync(new UploadQuery { IncludeUnreadable = true }, Token).Select(static info => info.Key).ToListAsync(Token);
        Assert.Contains(Key, listed);
        Assert.Equal(await other.GetAsync(ReplacementKey, Token) is not null, listed.Contains(ReplacementKey));

        Assert.Equal(AppendStatus.Appended, (await AppendAsync(other, current.Offset, More)).Status);
        Assert.Equal((byte[])[.. isNew ? New : Old, .. More], await ReadAsync(other, Key));
        await server.OpenSecondStore(store, new LaterListingPolicy(TimeSpan.FromDays(8))).CleanUpAsync(Token);
        Assert.Equal((byte[])[.. isNew ? New : Old, .. More], await ReadAsync(other, Key));
        await AssertNothingRemainsAsync(store, other);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_that_remembers_the_old_upload_continues_the_new_one(bool isRepeated)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        AzureBlobUploadStore other = server.OpenSecondStore(store);
        UploadInfo old = await CreateOldAsync(store, isRepeated);
        UploadInfo replacement = await CreateAsync(other, ReplacementKey, New);
        Assert.Equal(ChangeStatus.Succeeded, (await other.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token)).Status);

        Assert.Equal(ChangeStatus.VersionMismatch, (await store.UpdateAsync(Key, old.Version, new UploadRecord(), Token)).Status);
        Assert.Equal(ChangeStatus.VersionMismatch, (await store.DeleteAsync(Key, old.Version, Token)).Status);
        AppendResult mismatch = await AppendAsync(store, Old.Length, More);
        Assert.Equal((AppendStatus.OffsetMismatch, (long)New.Length), (mismatch.Status, mismatch.Offset));
        AppendResult appended = await AppendAsync(store, New.Length, More);
        Assert.Equal(AppendStatus.Appended, appended.Status);
        var completed = new UploadRecord { State = UploadState.Completed, Data = new byte[50_000] };
        UpdateResult update = await store.CompleteAsync(Key, appended.Version!, completed, new byte[50_000], Token);
        Assert.Equal(ChangeStatus.Succeeded, update.Status);
        await server.OpenSecondStore(store, new LaterListingPolicy(TimeSpan.FromDays(8))).CleanUpAsync(Token);
        Assert.Equal(50_000, (await other.GetResponseAsync(Key, Token))!.Value.Length);
        Assert.Equal(50_000, (await other.GetAsync(Key, Token))!.Record.Data.Length);
        Assert.Equal((byte[])[.. New, .. More], await ReadAsync(other, Key));
        await AssertNothingRemainsAsync(store, other);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_of_paused_writer_does_not_touch_a_replaced_upload(bool isRepeated)
    {
        var pause = new PausePolicy("PUT appendblock", after: isRepeated ? 2 : 1);
        AzureBlobUploadStore first = await server.OpenStoreAsync(options: null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        UploadInfo old = await CreateOldAsync(first, isRepeated);
        Task<AppendResult> append = AppendAsync(first, Old.Length, More).AsTask();
        await pause.Reached.WaitAsync(Token);
        Assert.NotNull(await second.GetAsync(Key, Token));
        UploadInfo replacement = await CreateAsync(second, ReplacementKey, New);
        Assert.Equal(ChangeStatus.Busy, (await second.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token)).Status);
        Assert.Equal(TakeoverStatus.Released, await second.TakeOverAsync(Key, TimeSpan.FromSeconds(1), Token));
        Assert.Equal(ChangeStatus.Succeeded, (await second.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token)).Status);

        pause.Continue();
        Assert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append);
        Assert.Equal(New, await ReadAsync(first, Key));
    }

    [Fact]
    public async Task Append_to_a_replaced_upload_ends_when_it_is_deleted()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        AzureBlobUploadStore other = server.OpenSecondStore(store);
        await CreateOldAsync(store, isRepeated: true);
        var content = new RecordingContent();
        Task<AppendResult> append = store.AppendAsync(Key, Old.Length, content, AppendMode.KeepPartial, Token).AsTask();
        await content.FirstReadTask.WaitAsync(Token);
        Assert.Equal(ChangeStatus.Succeeded, (await other.DeleteAsync(Key, null, Token)).Status);
        content.Send(More);
        content.Complete();
        Assert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append);
        await AssertNothingRemainsAsync(store, other);
    }

    [Fact]
    public async Task Replacement_takes_2_reads_and_4_writes()
    {
        var requests = new CountingPolicy();
        AzureBlobUploadStore store = await server.OpenStoreAsync(options: null, requests);
        UploadInfo old = await CreateAsync(store, Key, Old);
        UploadInfo replacement = await CreateAsync(store, ReplacementKey, New);
        requests.Take();
        await store.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token);
        Assert.Equal(["HEAD", "HEAD", "PUT", "PUT metadata", "PUT", "DELETE"], requests.Take());
        await store.GetAsync(Key, Token);
        Assert.Equal(["HEAD", "HEAD"], requests.Take());
    }

    [Fact]
    public async Task Upload_of_one_request_can_be_replaced()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        UploadInfo old = (await store.CreateCompletedAsync(Key, new UploadRecord { State = UploadState.Received }, new ReadOnlySequence<byte>(Old), Token)).Info!;
        UploadInfo replacement = await CreateAsync(store, ReplacementKey, New);
        Assert.Equal(ChangeStatus.Succeeded, (await store.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token)).Status);
        Assert.Equal(New, await ReadAsync(store, Key));
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(store, New.Length, More)).Status);
    }

    [Fact]
    public async Task Upload_is_created_where_a_deletion_has_left_a_pointer()
    {
        var crash = new CrashPolicy();
        AzureBlobUploadStore store = await server.OpenStoreAsync(options: null, crash);
        AzureBlobUploadStore other = server.OpenSecondStore(store);
        await CreateOldAsync(store, isRepeated: true);
        crash.Arm(write: 0, isCarriedOut: true);
        await Assert.ThrowsAsync<UploadStoreException>(async () => await store.DeleteAsync(Key, null, Token));
        Assert.Null(await other.GetAsync(Key, Token));
        Assert.Null(await other.OpenReadAsync(Key, Token));
        Assert.Empty(await other.ListAsync(new UploadQuery { IncludeUnreadable = true }, Token).ToListAsync(Token));
        Assert.Equal(ChangeStatus.NotFound, (await other.DeleteAsync(Key, null, Token)).Status);
        await CreateAsync(other, Key, New);
        Assert.Equal(New, await ReadAsync(other, Key));
    }

    /// <summary>Creates the upload that is replaced: a new one, or one that has replaced another one itself.</summary>
    private static async Task<UploadInfo> CreateOldAsync(AzureBlobUploadStore store, bool isRepeated)
    {
        if (!isRepeated)
        {
            return await CreateAsync(store, Key, Old);
        }

        UploadInfo first = await CreateAsync(store, Key, New);
        var otherKey = new UploadKey("owner", "first-replacement");
        UploadInfo second = await CreateAsync(store, otherKey, Old);
        return (await store.ReplaceAsync(Key, first.Version, otherKey, second.Version, Token)).Info!;
    }

    private static async Task<UploadInfo> CreateAsync(AzureBlobUploadStore store, UploadKey key, byte[] content)
    {
        Assert.Equal(CreateStatus.Created, (await store.CreateAsync(key, new UploadRecord(), Token)).Status);
        await store.AppendAsync(key, 0, RecordingContent.FromBytes(content), AppendMode.KeepPartial, Token);
        return (await store.GetAsync(key, Token))!;
    }

    private static async Task<bool> TryReplaceAsync(AzureBlobUploadStore store, UploadInfo old, UploadInfo replacement)
    {
        try
        {
            return (await store.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token)).Status == ChangeStatus.Succeeded;
        }
        catch (UploadStoreException)
        {
            return false;
        }
    }

    /// <summary>Deletes the uploads and cleans up. No blob remains, and the key can be used again.</summary>
    private async Task AssertNothingRemainsAsync(AzureBlobUploadStore store, AzureBlobUploadStore other)
    {
        await other.DeleteAsync(Key, null, Token);
        await other.DeleteAsync(ReplacementKey, null, Token);
        await server.OpenSecondStore(store, new LaterListingPolicy(TimeSpan.FromDays(8))).CleanUpAsync(Token);
        Assert.Empty(await other.Context.Blobs.Container.GetBlobsAsync(cancellationToken: Token).Select(static item => item.Name).ToListAsync(Token));
        Assert.Equal(CreateStatus.Created, (await other.CreateAsync(Key, new UploadRecord(), Token)).Status);
    }

    private static ValueTask<AppendResult> AppendAsync(AzureBlobUploadStore store, long offset, byte[] bytes) =>
        store.AppendAsync(Key, offset, RecordingContent.FromBytes(bytes), AppendMode.KeepPartial, Token);

    private static async Task<byte[]> ReadAsync(AzureBlobUploadStore store, UploadKey key)
    {
        await using Stream stream = (await store.OpenReadAsync(key, Token))!;
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Token);
        return copy.ToArray();
    }

    /// <summary>Lets every request fail from a write on, as if the process had ended.</summary>
    private sealed class CrashPolicy : RequestPolicy
    {
        private int _writes = int.MaxValue;
        private bool _isCarriedOut;

        public bool HasCrashed { get; private set; }

        /// <summary>Lets the requests fail from a write on. The first of them may still be carried out.</summary>
        public void Arm(int write, bool isCarriedOut) => (_writes, _isCarriedOut) = (write, isCarriedOut);

        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            bool isWrite = message.Request.Method != RequestMethod.Get && message.Request.Method != RequestMethod.Head;
            if (!HasCrashed && (!isWrite || Interlocked.Decrement(ref _writes) >= 0))
            {
                await ProcessNextAsync(message, pipeline);
                return;
            }

            if (!HasCrashed && _isCarriedOut)
            {
                await ProcessNextAsync(message, pipeline);
            }

            HasCrashed = true;
            throw new IOException("The process has ended.");
        }
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>A server that is paused before a write, while another server takes over the upload. The write of the first one never counts.</summary>
[Collection(nameof(AzuriteTests))]
public class PausedWriterTests(AzuriteServer server)
{
    private static readonly UploadKey Key = new("owner", "upload");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(400)]
    public async Task Append_of_paused_writer_returns_TakenOver_and_changes_nothing(int appendedByOther)
    {
        var pause = new PausePolicy("PUT appendblock");
        AzureBlobUploadStore first = await server.OpenStoreAsync(options: null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        Task<AppendResult> append = first.AppendAsync(Key, 0, RecordingContent.FromBytes(Bytes(1000, 1)), AppendMode.KeepPartial, Token).AsTask();
        await pause.Reached.WaitAsync(Token);

        Assert.Equal(AppendStatus.Busy, (await AppendAsync(second, 0, Bytes(10, 2))).Status);
        Assert.Equal(TakeoverStatus.Released, await second.TakeOverAsync(Key, TimeSpan.FromSeconds(1), Token));
        if (appendedByOther > 0)
        {
            Assert.Equal(AppendStatus.Appended, (await AppendAsync(second, 0, Bytes(appendedByOther, 2))).Status);
        }

        pause.Continue();
        AppendResult result = await append;
        Assert.Equal((AppendStatus.TakenOver, (long)appendedByOther), (result.Status, result.Offset));
        Assert.Equal(Bytes(appendedByOther, 2), await ReadAsync(second));
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(first, appendedByOther, Bytes(5, 3))).Status);
    }

    [Fact]
    public async Task Append_of_paused_writer_does_not_touch_a_received_upload()
    {
        var pause = new PausePolicy("PUT appendblock");
        AzureBlobUploadStore first = await server.OpenStoreAsync(options: null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        UploadInfo created = (await first.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        Task<AppendResult> append = first.AppendAsync(Key, 0, RecordingContent.FromBytes(Bytes(1000, 1)), AppendMode.KeepPartial, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        await second.TakeOverAsync(Key, TimeSpan.FromSeconds(1), Token);
        UpdateResult received = await second.UpdateAsync(Key, created.Version, new UploadRecord { State = UploadState.Received }, Token);
        Assert.Equal(ChangeStatus.Succeeded, received.Status);

        pause.Continue();
        Assert.Equal(AppendStatus.TakenOver, (await append).Status);
        Assert.Equal(received.Info!.Version, (await second.GetAsync(Key, Token))!.Version);
        Assert.Empty(await ReadAsync(second));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_of_paused_writer_does_not_touch_a_new_upload_with_the_key(bool isStaged)
    {
        var pause = new PausePolicy("PUT appendblock");
        AzureBlobUploadStore first = await server.OpenStoreAsync(options: null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        AppendMode mode = isStaged ? AppendMode.AllOrNothing : AppendMode.KeepPartial;
        Task<AppendResult> append = first.AppendAsync(Key, 0, RecordingContent.FromBytes(Bytes(1000, 1)), mode, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        await second.DeleteAsync(Key, null, Token);
        await second.CreateAsync(Key, new UploadRecord(), Token);

        pause.Continue();
        Assert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append);
        Assert.Empty(await ReadAsync(second));
    }

    [Fact]
    public async Task Final_record_of_paused_writer_is_not_written_after_a_takeover()
    {
        var pause = new PausePolicy("PUT metadata");
        AzureBlobUploadStore first = await server.OpenStoreAsync(options: null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        var final = new UploadRecord { State = UploadState.Received };
        Task<AppendResult> append = first.AppendAsync(
            Key, 0, RecordingContent.FromBytes(Bytes(100, 1), _ => new FinalRecord(final, IsDeferrable: false)), AppendMode.KeepPartial, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        await second.TakeOverAsync(Key, TimeSpan.FromSeconds(1), Token);
        Assert.Equal(AppendStatus.Appended, (await AppendAsync(second, 100, Bytes(50, 2))).Status);

        pause.Continue();
        AppendResult result = await append;
        Assert.Equal((AppendStatus.TakenOver, 150L), (result.Status, result.Offset));
        Assert.Equal(UploadState.Receiving, (await second.GetAsync(Key, Token))!.State);
        byte[] expected = [.. Bytes(100, 1), .. Bytes(50, 2)];
        Assert.Equal(expected, await ReadAsync(second));
    }

    [Fact]
    public async Task Update_of_paused_writer_with_an_old_version_changes_nothing()
    {
        var pause = new PausePolicy("PUT metadata");
        AzureBlobUploadStore first = await server.OpenStoreAsync(options: null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        UploadInfo created = (await first.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        Task<UpdateResult> update = first.UpdateAsync(Key, created.Version, new UploadRecord { Length = 1 }, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        await AppendAsync(second, 0, Bytes(10, 1));

        pause.Continue();
        Assert.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), await update);
        Assert.Null((await second.GetAsync(Key, Token))!.Length);
    }

    [Fact]
    public async Task Append_to_taken_over_upload_asks_the_content_to_end_and_reads_it()
    {
        AzureBlobUploadStore first = await server.OpenStoreAsync(new AzureBlobUploadStoreOptions { BlockSize = 64 * 1024 });
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new RecordingContent { OnReleaseRequested = _ => released.TrySetResult() };
        Task<AppendResult> append = first.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        content.Send(Bytes(64 * 1024, 1));
        while ((await second.GetAsync(Key, Token))!.Offset == 0)
        {
            Token.ThrowIfCancellationRequested();
        }

        Assert.Equal(TakeoverStatus.NotAppending, await first.TakeOverAsync(Key, TimeSpan.FromSeconds(1), Token));
        await second.TakeOverAsync(Key, TimeSpan.FromSeconds(1), Token);
        content.Send(Bytes(64 * 1024, 2));
        await released.Task.WaitAsync(Token);
        content.Complete();
        AppendResult result = await append;
        Assert.Equal((AppendStatus.TakenOver, 64L * 1024), (result.Status, result.Offset));
        Assert.True(content.WasReadToEnd);
    }

    [Fact]
    public async Task Append_to_upload_that_is_deleted_after_a_takeover_returns_NotFound()
    {
        AzureBlobUploadStore first = await server.OpenStoreAsync(new AzureBlobUploadStoreOptions { BlockSize = 64 * 1024 });
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new RecordingContent { OnReleaseRequested = _ => released.TrySetResult() };
        Task<AppendResult> append = first.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        await content.FirstReadTask.WaitAsync(Token);
        await second.TakeOverAsync(Key, TimeSpan.FromSeconds(1), Token);
        content.Send(Bytes(64 * 1024, 1));
        await released.Task.WaitAsync(Token);
        await second.DeleteAsync(Key, null, Token);
        content.Complete();
        Assert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_to_upload_that_is_deleted_after_its_last_block_returns_NotFound(bool isCreatedAgain)
    {
        AzureBlobUploadStore first = await server.OpenStoreAsync(new AzureBlobUploadStoreOptions { SyncInterval = TimeSpan.FromMilliseconds(20) });
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        var durable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var content = new RecordingContent { OnDurableReported = _ => durable.TrySetResult() };
        Task<AppendResult> append = first.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token).AsTask();
        content.Send(Bytes(100, 1));
        await durable.Task.WaitAsync(Token);
        await second.DeleteAsync(Key, null, Token);
        if (isCreatedAgain)
        {
            await second.CreateAsync(Key, new UploadRecord(), Token);
        }

        content.Complete();
        Assert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), await append);
        Assert.Equal(isCreatedAgain ? 0L : null, (await second.GetAsync(Key, Token))?.Offset);
    }

    /// <summary>A deletion breaks the lease first. An append that ends before the second step leaves the upload as it was, and the deletion follows.</summary>
    [Fact]
    public async Task Append_that_ends_before_the_deletion_that_ends_it_returns_TakenOver()
    {
        var pause = new PausePolicy("DELETE", after: 1);
        AzureBlobUploadStore first = await server.OpenStoreAsync();
        AzureBlobUploadStore second = server.OpenSecondStore(first, pause);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        await AppendAsync(first, 0, Bytes(10, 1));
        var content = new RecordingContent();
        Task<AppendResult> append = first.AppendAsync(Key, 10, content, AppendMode.KeepPartial, Token).AsTask();
        await content.FirstReadTask.WaitAsync(Token);
        Task<DeleteResult> deletion = second.DeleteAsync(Key, null, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        content.Send(Bytes(5, 2));
        content.Complete();
        Assert.Equal(new AppendResult(AppendStatus.TakenOver, 10, null), await append);
        Assert.Equal(Bytes(10, 1), await ReadAsync(first));

        pause.Continue();
        Assert.Equal(ChangeStatus.Succeeded, (await deletion).Status);
        Assert.Null(await first.GetAsync(Key, Token));
    }

    [Fact]
    public async Task Append_that_is_taken_over_after_its_last_block_returns_Appended()
    {
        var pause = new PausePolicy("PUT release");
        AzureBlobUploadStore first = await server.OpenStoreAsync(options: null, pause);
        AzureBlobUploadStore second = server.OpenSecondStore(first);
        await first.CreateAsync(Key, new UploadRecord(), Token);
        Task<AppendResult> append = first.AppendAsync(Key, 0, RecordingContent.FromBytes(Bytes(100, 1)), AppendMode.KeepPartial, Token).AsTask();
        await pause.Reached.WaitAsync(Token);
        await second.TakeOverAsync(Key, TimeSpan.FromSeconds(1), Token);
        pause.Continue();
        AppendResult result = await append;
        Assert.Equal((AppendStatus.Appended, 100L), (result.Status, result.Offset));
        Assert.Equal(result.Version, (await second.GetAsync(Key, Token))!.Version);
    }

    private static byte[] Bytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static ValueTask<AppendResult> AppendAsync(AzureBlobUploadStore store, long offset, byte[] bytes) =>
        store.AppendAsync(Key, offset, RecordingContent.FromBytes(bytes), AppendMode.KeepPartial, Token);

    private static async Task<byte[]> ReadAsync(AzureBlobUploadStore store)
    {
        await using Stream stream = (await store.OpenReadAsync(Key, Token))!;
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Token);
        return copy.ToArray();
    }
}

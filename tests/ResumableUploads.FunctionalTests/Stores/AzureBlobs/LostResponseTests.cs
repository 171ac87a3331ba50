using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>Requests that the network loses, and responses of requests that the service has carried out. The outcome is found out, and no byte is stored twice.</summary>
[Collection(nameof(AzuriteTests))]
public class LostResponseTests(AzuriteServer server)
{
    private static readonly UploadKey Key = new("owner", "upload");
    private readonly LossPolicy _network = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Create_with_a_loss_creates_the_upload_once(bool isCarriedOut)
    {
        AzureBlobUploadStore store = await OpenAsync();
        _network.Lose("PUT", isCarriedOut);
        CreateResult created = await store.CreateAsync(Key, new UploadRecord { Length = 5 }, Token);
        Assert.Equal((CreateStatus.Created, 1), (created.Status, _network.Losses));
        Assert.Equal(created.Info!.Version, (await store.GetAsync(Key, Token))!.Version);
        Assert.Equal(CreateStatus.AlreadyExists, (await store.CreateAsync(Key, new UploadRecord(), Token)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Create_completed_with_a_loss_creates_the_upload_once(bool isCarriedOut)
    {
        AzureBlobUploadStore store = await OpenAsync();
        _network.Lose("PUT", isCarriedOut);
        var record = new UploadRecord { State = UploadState.Received };
        Assert.Equal(CreateStatus.Created, (await store.CreateCompletedAsync(Key, record, new ReadOnlySequence<byte>([1, 2, 3]), Token)).Status);
        Assert.Equal(1, _network.Losses);
        byte[] expected = [1, 2, 3];
        Assert.Equal(expected, await ReadAsync(store));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    [InlineData(false, 1)]
    [InlineData(false, 3)]
    public async Task Append_with_losses_stores_every_byte_once(bool isCarriedOut, int losses)
    {
        AzureBlobUploadStore store = await OpenAsync(blockSize: 64 * 1024);
        await store.CreateAsync(Key, new UploadRecord(), Token);
        byte[] bytes = Bytes(200_000);
        _network.Lose("PUT appendblock", isCarriedOut, losses);
        AppendResult result = await store.AppendAsync(Key, 0, RecordingContent.FromBytes(bytes), AppendMode.KeepPartial, Token);
        Assert.Equal((AppendStatus.Appended, 200_000L, losses), (result.Status, result.Offset, _network.Losses));
        Assert.Equal(bytes, await ReadAsync(store));
        Assert.Equal(result.Version, (await store.GetAsync(Key, Token))!.Version);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Staged_append_with_a_loss_stores_every_byte_once(bool isCarriedOut)
    {
        AzureBlobUploadStore store = await OpenAsync();
        await store.CreateAsync(Key, new UploadRecord(), Token);
        byte[] bytes = Bytes(3_000_000);
        _network.Lose("PUT appendblock", isCarriedOut);
        AppendResult result = await store.AppendAsync(Key, 0, RecordingContent.FromBytes(bytes), AppendMode.AllOrNothing, Token);
        Assert.Equal((AppendStatus.Appended, 3_000_000L), (result.Status, result.Offset));
        Assert.Equal(bytes, await ReadAsync(store));
    }

    [Fact]
    public async Task Append_that_never_gets_through_fails_with_the_durable_offset()
    {
        AzureBlobUploadStore store = await OpenAsync(blockSize: 64 * 1024);
        await store.CreateAsync(Key, new UploadRecord(), Token);
        byte[] bytes = Bytes(300_000);
        await store.AppendAsync(Key, 0, RecordingContent.FromBytes(bytes.AsSpan(0, 70_000)), AppendMode.KeepPartial, Token);
        _network.Lose("PUT appendblock", isCarriedOut: false, int.MaxValue);
        UploadStoreException exception = await Assert.ThrowsAsync<UploadStoreException>(
            async () => await store.AppendAsync(Key, 70_000, RecordingContent.FromBytes(bytes.AsSpan(70_000)), AppendMode.KeepPartial, Token));
        Assert.Equal((StoreFailure.Unavailable, 70_000L), (exception.Failure, exception.DurableOffset));

        // The lease is released, so that the client can continue at once.
        _network.Lose("", false, 0);
        AppendResult result = await store.AppendAsync(Key, 70_000, RecordingContent.FromBytes(bytes.AsSpan(70_000)), AppendMode.KeepPartial, Token);
        Assert.Equal(AppendStatus.Appended, result.Status);
        Assert.Equal(bytes, await ReadAsync(store));
    }

    [Fact]
    public async Task Append_that_fails_while_its_client_is_silent_asks_the_content_to_end()
    {
        AzureBlobUploadStore store = await OpenAsync(blockSize: 64 * 1024);
        await store.CreateAsync(Key, new UploadRecord(), Token);
        _network.Lose("PUT appendblock", isCarriedOut: false, int.MaxValue);
        int requests = 0;
        var content = new RecordingContent { OnReleaseRequested = _ => requests++ };
        content.Send(Bytes(64 * 1024));
        await Assert.ThrowsAsync<UploadStoreException>(async () => await store.AppendAsync(Key, 0, content, AppendMode.KeepPartial, Token));
        Assert.Equal(1, requests);
    }

    [Theory]
    [InlineData("PUT acquire", true)]
    [InlineData("PUT acquire", false)]
    [InlineData("PUT release", true)]
    [InlineData("PUT release", false)]
    public async Task Append_with_a_loss_at_its_lease_succeeds(string request, bool isCarriedOut)
    {
        AzureBlobUploadStore store = await OpenAsync();
        await store.CreateAsync(Key, new UploadRecord(), Token);
        _network.Lose(request, isCarriedOut);
        Assert.Equal(AppendStatus.Appended, (await store.AppendAsync(Key, 0, RecordingContent.FromBytes([1]), AppendMode.KeepPartial, Token)).Status);
        Assert.Equal(1, _network.Losses);
        Assert.Equal(AppendStatus.Appended, (await store.AppendAsync(Key, 1, RecordingContent.FromBytes([2]), AppendMode.KeepPartial, Token)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Final_record_with_a_loss_is_written(bool isCarriedOut)
    {
        AzureBlobUploadStore store = await OpenAsync();
        await store.CreateAsync(Key, new UploadRecord(), Token);
        _network.Lose("PUT metadata", isCarriedOut);
        var record = new UploadRecord { State = UploadState.Received, Data = new byte[] { 7 } };
        AppendResult result = await store.AppendAsync(
            Key, 0, RecordingContent.FromBytes(Bytes(10), _ => new FinalRecord(record, IsDeferrable: false)), AppendMode.KeepPartial, Token);
        Assert.Equal((UploadState.Received, 1), (result.Updated?.State, _network.Losses));
        Assert.Equal(result.Version, (await store.GetAsync(Key, Token))!.Version);
    }

    [Theory]
    [InlineData("PUT metadata", true, 10)]
    [InlineData("PUT metadata", false, 10)]
    [InlineData("PUT metadata", true, 500_000)]
    [InlineData("PUT", true, 500_000)]
    [InlineData("PUT", false, 500_000)]
    public async Task Completion_with_a_loss_stores_record_and_response(string request, bool isCarriedOut, int responseLength)
    {
        AzureBlobUploadStore store = await OpenAsync();
        UploadInfo created = (await store.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        _network.Lose(request, isCarriedOut);
        var record = new UploadRecord { State = UploadState.Completed };
        UpdateResult result = await store.CompleteAsync(Key, created.Version, record, Bytes(responseLength), Token);
        Assert.Equal((ChangeStatus.Succeeded, 1), (result.Status, _network.Losses));
        Assert.Equal(result.Info!.Version, (await store.GetAsync(Key, Token))!.Version);
        Assert.Equal(Bytes(responseLength), (await store.GetResponseAsync(Key, Token))?.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Update_with_a_loss_succeeds_and_its_version_is_current(bool isCarriedOut)
    {
        AzureBlobUploadStore store = await OpenAsync();
        UploadInfo created = (await store.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        _network.Lose("PUT metadata", isCarriedOut);
        UpdateResult updated = await store.UpdateAsync(Key, created.Version, new UploadRecord { Length = 9 }, Token);
        Assert.Equal((ChangeStatus.Succeeded, 9L), (updated.Status, updated.Info?.Length));
        Assert.Equal(ChangeStatus.Succeeded, (await store.UpdateAsync(Key, updated.Info!.Version, new UploadRecord(), Token)).Status);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Deletion_with_a_loss_succeeds(bool isCarriedOut, bool isConditional)
    {
        AzureBlobUploadStore store = await OpenAsync();
        UploadInfo created = (await store.CreateAsync(Key, new UploadRecord(), Token)).Info!;
        _network.Lose("DELETE", isCarriedOut);
        Assert.Equal(ChangeStatus.Succeeded, (await store.DeleteAsync(Key, isConditional ? created.Version : null, Token)).Status);
        Assert.Equal(1, _network.Losses);
        Assert.Null(await store.GetAsync(Key, Token));
    }

    private static byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReadAsync(AzureBlobUploadStore store)
    {
        await using Stream stream = (await store.OpenReadAsync(Key, Token))!;
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Token);
        return copy.ToArray();
    }

    private Task<AzureBlobUploadStore> OpenAsync(int blockSize = 4 * 1024 * 1024) =>
        server.OpenStoreAsync(new AzureBlobUploadStoreOptions { BlockSize = blockSize }, _network);
}

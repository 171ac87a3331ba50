using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for content streams, and for moves of content to a file.</content>
internal sealed partial class StoreCases
{
    private IContentMover ContentMover => CaseAssert.RequireNotNull(Store.GetCapability<IContentMover>());

    [Case]
    public async Task Stream_returns_the_content_and_its_length()
    {
        await CreateWithContentAsync(Bytes(200_000));
        await using Stream stream = await OpenAsync();
        CaseAssert.True(stream.CanRead && stream.CanSeek && !stream.CanWrite);
        CaseAssert.Equal((200_000L, 0L), (stream.Length, stream.Position));
        byte[] read = new byte[200_000];
        await stream.ReadExactlyAsync(read, Token);
        CaseAssert.Equal(Bytes(200_000), read);
        CaseAssert.Equal(0, await stream.ReadAsync(read, Token));
    }

    [Case]
    public async Task Stream_can_be_read_from_any_position()
    {
        byte[] content = Bytes(200_000);
        await CreateWithContentAsync(content);
        await using Stream stream = await OpenAsync();
        byte[] read = new byte[100];
        foreach (int position in new[] { 199_900, 0, 65_500, 4095, 20_479, 86_000, 1 })
        {
            CaseAssert.Equal(position, stream.Seek(position, SeekOrigin.Begin));
            await stream.ReadExactlyAsync(read, Token);
            CaseAssert.Equal(content.AsSpan(position, 100).ToArray(), read);
            CaseAssert.Equal(position + 100, stream.Position);
        }

        CaseAssert.Equal(199_999, stream.Seek(-1, SeekOrigin.End));
        CaseAssert.Equal(content[^1], stream.ReadByte());
        CaseAssert.Equal(-1, stream.ReadByte());
        CaseAssert.Equal(199_990, stream.Seek(-10, SeekOrigin.Current));
        stream.Position = 300_000;
        CaseAssert.Equal(0, await stream.ReadAsync(read, Token));
    }

    [Case]
    public async Task Stream_of_an_empty_upload_is_empty()
    {
        await CreateAsync();
        await using Stream stream = await OpenAsync();
        CaseAssert.Equal(0, stream.Length);
        CaseAssert.Equal(0, await stream.ReadAsync(new byte[10], Token));
    }

    [Case]
    public async Task Stream_contains_at_least_the_bytes_present_when_opened()
    {
        byte[] sent = Bytes(30_000);
        await CreateWithContentAsync(sent[..10_000]);
        await using Stream stream = await OpenAsync();
        await AppendAsync(10_000, sent.AsSpan(10_000));
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Token);
        CaseAssert.InRange(copy.Length, 10_000, 30_000);
        CaseAssert.Equal(sent[..(int)copy.Length], copy.ToArray());
    }

    [Case]
    public async Task Many_streams_read_one_upload_concurrently()
    {
        byte[] content = Bytes(200_000);
        await CreateWithContentAsync(content);
        byte[][] copies = await RunConcurrentlyAsync(8, _ => ReadContentAsync());
        CaseAssert.All(copies, copy => CaseAssert.Equal(content, copy));
    }

    [Case]
    public async Task Stream_can_be_read_during_an_append()
    {
        await CreateWithContentAsync(Bytes(10_000));
        var appendContent = new RecordingContent();
        Task<AppendResult> append = StartAppend(10_000, appendContent);
        await appendContent.FirstReadTask.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(Bytes(10_000), await ReadContentAsync());
        appendContent.Complete();
        await append.WaitAsync(CaseTimeout, Token);
    }

    [Case(UploadState.Received)]
    [Case(UploadState.Completed)]
    public async Task OpenRead_of_received_or_completed_upload_returns_the_content(UploadState state)
    {
        await CreateWithContentAsync(Bytes(10_000));
        await UpdateStateAsync(state);
        CaseAssert.Equal(Bytes(10_000), await ReadContentAsync());
    }

    [Case]
    public async Task Stream_never_returns_bytes_of_a_new_upload_with_the_same_key()
    {
        byte[] content = Bytes(200_000);
        await CreateWithContentAsync(content);
        await using Stream stream = await OpenAsync();
        if ((await Store.DeleteAsync(Key, null, Token)).Status == ChangeStatus.Succeeded)
        {
            await CreateWithContentAsync(Bytes(200_000, 2));
        }

        using var copy = new MemoryStream();
        try
        {
            await stream.CopyToAsync(copy, Token);
        }
        catch (Exception e) when (e is IOException or UploadStoreException)
        {
            // The content of a deleted upload does not have to stay readable.
        }

        CaseAssert.Equal(content[..(int)copy.Length], copy.ToArray());
    }

    [Case(UploadState.Received, Requires = StoreCapabilities.ContentMoves)]
    [Case(UploadState.Completed, Requires = StoreCapabilities.ContentMoves)]
    public Task Move_takes_the_content_and_keeps_the_record(UploadState state) => RunInDirectoryAsync(async directory =>
    {
        await CreateWithContentAsync(Bytes(1000));
        UploadInfo info = await UpdateStateAsync(state);
        string target = Path.Combine(directory, "target");
        var moved = new MoveResult(MoveStatus.Moved, target);
        CaseAssert.Equal(moved, await ContentMover.MoveContentAsync(Key, info.Version, target, overwrite: false, Token));
        CaseAssert.Equal(Bytes(1000), await File.ReadAllBytesAsync(target, Token));
        CaseAssert.Null(await Store.OpenReadAsync(Key, Token));
        UploadInfo after = await GetAsync();
        CaseAssert.Equal((1000L, state), (after.Offset, after.State));
        CaseAssert.Equal(moved, await ContentMover.MoveContentAsync(Key, after.Version, target, overwrite: false, Token));
    });

    [Case(true, Requires = StoreCapabilities.ContentMoves)]
    [Case(false, Requires = StoreCapabilities.ContentMoves)]
    public Task Move_with_a_stale_version_changes_nothing(bool isCreatedAgain) => RunInDirectoryAsync(async directory =>
    {
        await CreateWithContentAsync(Bytes(1000));
        UploadInfo stale = await UpdateStateAsync(UploadState.Received);
        if (isCreatedAgain)
        {
            CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, null, Token)).Status);
            await CreateWithContentAsync(Bytes(1000, 2));
        }

        await UpdateStateAsync(UploadState.Received);
        MoveResult result = await ContentMover.MoveContentAsync(Key, stale.Version, Path.Combine(directory, "target"), overwrite: true, Token);
        CaseAssert.Equal(new MoveResult(MoveStatus.VersionMismatch, null), result);
        CaseAssert.Equal(Bytes(1000, isCreatedAgain ? 2 : 1), await ReadContentAsync());
        CaseAssert.Equal(0, Directory.GetFiles(directory).Length);
    });

    [Case(Requires = StoreCapabilities.ContentMoves)]
    public Task Move_does_not_take_an_equal_file_for_the_content() => RunInDirectoryAsync(async directory =>
    {
        await CreateWithContentAsync(Bytes(1000));
        UploadInfo info = await UpdateStateAsync(UploadState.Received);
        string target = Path.Combine(directory, "target");
        await File.WriteAllBytesAsync(target, Bytes(1000), Token);
        for (int i = 0; i < 2; i++)
        {
            CaseAssert.Equal(
                new MoveResult(MoveStatus.TargetExists, null), await ContentMover.MoveContentAsync(Key, info.Version, target, overwrite: false, Token));
        }

        CaseAssert.Equal(Bytes(1000), await ReadContentAsync());
        string next = Path.Combine(directory, "next");
        CaseAssert.Equal(new MoveResult(MoveStatus.Moved, next), await ContentMover.MoveContentAsync(Key, info.Version, next, overwrite: false, Token));
    });

    [Case(Requires = StoreCapabilities.ContentMoves)]
    public Task Move_of_a_receiving_or_missing_upload_is_refused() => RunInDirectoryAsync(async directory =>
    {
        string target = Path.Combine(directory, "target");
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        CaseAssert.Equal(MoveStatus.Busy, (await ContentMover.MoveContentAsync(Key, info.Version, target, overwrite: false, Token)).Status);
        await Store.DeleteAsync(Key, null, Token);
        CaseAssert.Equal(MoveStatus.NotFound, (await ContentMover.MoveContentAsync(Key, info.Version, target, overwrite: false, Token)).Status);
    });

    private static async Task RunInDirectoryAsync(Func<string, Task> run)
    {
        string directory = Directory.CreateTempSubdirectory("store-contract-").FullName;
        try
        {
            await run(directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task<Stream> OpenAsync() => CaseAssert.RequireNotNull(await Store.OpenReadAsync(Key, Token));
}

using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for content streams.</content>
internal sealed partial class StoreCases
{
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

    private async Task<Stream> OpenAsync() => CaseAssert.RequireNotNull(await Store.OpenReadAsync(Key, Token));
}

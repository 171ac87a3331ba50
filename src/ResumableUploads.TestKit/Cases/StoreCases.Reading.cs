using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public async Task A_stream_gives_the_content_and_its_length()
    {
        await CreateWithAsync(Bytes(200_000));
        await using Stream stream = await OpenAsync();
        Check.True(stream.CanRead && stream.CanSeek && !stream.CanWrite);
        Check.Equal((200_000L, 0L), (stream.Length, stream.Position));
        byte[] read = new byte[200_000];
        await stream.ReadExactlyAsync(read, Token);
        Check.Equal(Bytes(200_000), read);
        Check.Equal(0, await stream.ReadAsync(read, Token));
    }

    [Case]
    public async Task A_stream_can_be_read_from_any_place()
    {
        byte[] content = Bytes(200_000);
        await CreateWithAsync(content);
        await using Stream stream = await OpenAsync();
        byte[] read = new byte[100];
        foreach (int position in new[] { 199_900, 0, 65_500, 4095, 20_479, 86_000, 1 })
        {
            Check.Equal(position, stream.Seek(position, SeekOrigin.Begin));
            await stream.ReadExactlyAsync(read, Token);
            Check.Equal(content.AsSpan(position, 100).ToArray(), read);
            Check.Equal(position + 100, stream.Position);
        }

        Check.Equal(199_999, stream.Seek(-1, SeekOrigin.End));
        Check.Equal(content[^1], stream.ReadByte());
        Check.Equal(-1, stream.ReadByte());
        Check.Equal(199_990, stream.Seek(-10, SeekOrigin.Current));
        stream.Position = 300_000;
        Check.Equal(0, await stream.ReadAsync(read, Token));
    }

    [Case]
    public async Task A_stream_of_an_empty_upload_is_empty()
    {
        await CreateAsync();
        await using Stream stream = await OpenAsync();
        Check.Equal(0, stream.Length);
        Check.Equal(0, await stream.ReadAsync(new byte[10], Token));
    }

    [Case]
    public async Task A_stream_ends_at_the_offset_of_its_opening_or_sees_what_was_sent()
    {
        byte[] sent = Bytes(30_000);
        await CreateWithAsync(sent[..10_000]);
        await using Stream stream = await OpenAsync();
        await AppendAsync(10_000, sent.AsSpan(10_000));
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Token);
        Check.InRange(copy.Length, 10_000, 30_000);
        Check.Equal(sent[..(int)copy.Length], copy.ToArray());
    }

    [Case]
    public async Task Many_streams_read_one_upload_at_once()
    {
        byte[] content = Bytes(200_000);
        await CreateWithAsync(content);
        byte[][] copies = await AtOnceAsync(8, _ => ContentAsync());
        Check.All(copies, copy => Check.Equal(content, copy));
    }

    [Case]
    public async Task A_stream_is_read_while_bytes_are_appended()
    {
        await CreateWithAsync(Bytes(10_000));
        var running = new PipeContent();
        Task<AppendResult> append = StartAppend(10_000, running);
        await running.FirstRead.WaitAsync(Patience, Token);
        Check.Equal(Bytes(10_000), await ContentAsync());
        running.End();
        await append.WaitAsync(Patience, Token);
    }

    [Case(UploadState.Received)]
    [Case(UploadState.Completed)]
    public async Task A_stream_opens_in_the_later_states_too(UploadState state)
    {
        await CreateWithAsync(Bytes(10_000));
        await UpdateStateAsync(state);
        Check.Equal(Bytes(10_000), await ContentAsync());
    }

    private async Task<Stream> OpenAsync() => Check.NotNullOf(await Store.OpenReadAsync(Key, Token));
}

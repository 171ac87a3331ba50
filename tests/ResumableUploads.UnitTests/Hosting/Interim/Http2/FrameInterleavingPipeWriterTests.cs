using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Hosting.Interim.Http2;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Hosting.Interim.Http2;

public class FrameInterleavingPipeWriterTests
{
    private static readonly byte[] Settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    private static readonly byte[] Final = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88];
    private static readonly byte[] Interim = InterimResponse.TryCreate(("Upload-Offset", "1"))!.ToHttp2Frame(1);

    private readonly Pipe _pipe = new();
    private readonly FrameInterleavingPipeWriter _writer;

    public FrameInterleavingPipeWriterTests() => _writer = new FrameInterleavingPipeWriter(_pipe.Writer, new ClientSettingsTracker());

    [Fact]
    public async Task SendAsync_between_two_flushes_inserts_frame()
    {
        await _writer.WriteAsync(Settings);
        _writer.OpenStream(1);
        _writer.Write(Final);
        await _writer.SendAsync(1, Interim);
        await _writer.FlushAsync();

        Assert.Equal((byte[])[.. Settings, .. Interim, .. Final], await ReadAsync());
    }

    [Fact]
    public async Task SendAsync_after_the_client_has_reduced_its_header_table_is_dropped()
    {
        var settings = new ClientSettingsTracker();
        var writer = new FrameInterleavingPipeWriter(_pipe.Writer, settings);
        await writer.WriteAsync(Settings);
        writer.OpenStream(1);
        settings.Process([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        await writer.SendAsync(1, Interim);
        await writer.WriteAsync(Final);

        Assert.Equal((byte[])[.. Settings, .. Final], await ReadAsync());
    }

    [Fact]
    public async Task SendAsync_after_final_response_is_dropped()
    {
        await _writer.WriteAsync(Settings);
        _writer.OpenStream(1);
        await _writer.WriteAsync(Final);
        await _writer.SendAsync(1, Interim);

        Assert.Equal((byte[])[.. Settings, .. Final], await ReadAsync());
    }

    [Fact]
    public async Task SendAsync_that_waits_for_final_response_is_dropped()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: Settings.Length + 1, resumeWriterThreshold: 1));
        var writer = new FrameInterleavingPipeWriter(pipe.Writer, new ClientSettingsTracker());
        await writer.WriteAsync(Settings);
        writer.OpenStream(1);
        Task response = writer.WriteAsync(Final).AsTask();
        Task interim = writer.SendAsync(1, Interim).AsTask();
        Assert.False(response.IsCompleted || interim.IsCompleted);

        ReadResult read = await pipe.Reader.ReadAsync();
        byte[] bytes = read.Buffer.ToArray();
        pipe.Reader.AdvanceTo(read.Buffer.End);
        await Eventually.WithinAsync(response);
        await Eventually.WithinAsync(interim);
        await writer.CompleteAsync();

        Assert.Equal((byte[])[.. Settings, .. Final], bytes);
        Assert.True((await pipe.Reader.ReadAsync()).Buffer.IsEmpty);
    }

    [Fact]
    public async Task FlushAsync_waits_for_pending_interim_response()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: Settings.Length + 1, resumeWriterThreshold: 1));
        var writer = new FrameInterleavingPipeWriter(pipe.Writer, new ClientSettingsTracker());
        await writer.WriteAsync(Settings);
        writer.OpenStream(1);
        Task interim = writer.SendAsync(1, Interim).AsTask();
        Task response = writer.WriteAsync(Final).AsTask();
        writer.Complete();
        Assert.False(response.IsCompleted || interim.IsCompleted);

        var bytes = new List<byte>();
        ReadResult read;
        do
        {
            read = await pipe.Reader.ReadAsync();
            bytes.AddRange(read.Buffer.ToArray());
            pipe.Reader.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);
        await Eventually.WithinAsync(interim);
        await Eventually.WithinAsync(response);

        Assert.Equal((byte[])[.. Settings, .. Interim, .. Final], bytes);
    }

    [Fact]
    public async Task SendAsync_inside_frame_or_header_block_is_dropped()
    {
        await _writer.WriteAsync(Settings);
        _writer.OpenStream(1);
        byte[] half = [0, 0, 1, 1, 0, 0, 0, 0, 3, 0x88, 0, 0, 1];
        await _writer.WriteAsync(half.AsMemory(0, 10));
        await _writer.SendAsync(1, Interim);
        await _writer.WriteAsync(half.AsMemory(10));
        await _writer.SendAsync(1, Interim);

        Assert.Equal((byte[])[.. Settings, .. half], await ReadAsync());
    }

    [Fact]
    public async Task SendAsync_for_closed_or_unknown_stream_is_dropped()
    {
        await _writer.WriteAsync(Settings);
        await _writer.SendAsync(1, Interim);
        _writer.OpenStream(1);
        _writer.CloseStream(1);
        await _writer.SendAsync(1, Interim);

        Assert.Equal(Settings, await ReadAsync());
        Assert.Equal(0, _writer.OpenStreamCount);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("\u0016\u0003\u0003 a record of TLS")]
    public async Task Output_that_is_not_http2_is_passed_through(string text)
    {
        byte[] first = Encoding.Latin1.GetBytes(text);
        await _writer.WriteAsync(first);
        Memory<byte> memory = _writer.GetMemory(1);
        memory.Span[0] = (byte)'x';
        _writer.Advance(1);
        _writer.OpenStream(1);
        await _writer.SendAsync(1, Interim);
        Assert.Equal(1, _pipe.Writer.UnflushedBytes);
        Assert.Equal(1, _writer.UnflushedBytes);
        await _writer.FlushAsync();

        Assert.Equal((byte[])[.. first, (byte)'x'], await ReadAsync());
    }

    [Fact]
    public async Task Unflushed_bytes_are_counted_and_written_on_completion()
    {
        byte[] large = new byte[100_000];
        large[3] = 4;
        _writer.Write(large.AsSpan(0, 10));
        _writer.Write(large.AsSpan(10));
        Assert.True(_writer.CanGetUnflushedBytes);
        Assert.Equal(large.Length, _writer.UnflushedBytes);

        _writer.Complete();

        Assert.Equal(large, await ReadAsync());
        Assert.Equal(0, _writer.UnflushedBytes);
    }

    [Fact]
    public async Task SendAsync_after_completion_is_dropped()
    {
        await _writer.WriteAsync(Settings);
        _writer.OpenStream(1);
        await _writer.CompleteAsync();
        await _writer.SendAsync(1, Interim);

        Assert.Equal(Settings, await ReadAsync());
    }

    [Fact]
    public async Task CancelPendingFlush_during_interim_response_cancels_flush_of_server()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: Settings.Length + 1, resumeWriterThreshold: 1));
        var writer = new FrameInterleavingPipeWriter(pipe.Writer, new ClientSettingsTracker());
        await writer.WriteAsync(Settings);
        writer.OpenStream(1);
        Task interim = writer.SendAsync(1, Interim).AsTask();
        Task<FlushResult> response = writer.WriteAsync(Final).AsTask();

        writer.CancelPendingFlush();

        Assert.True((await Eventually.WithinAsync(response)).IsCanceled);
        await Eventually.WithinAsync(interim);
    }

    [Fact]
    public void Advance_beyond_the_buffer_throws()
    {
        Memory<byte> memory = _writer.GetMemory(10);
        Assert.True(memory.Length >= 10);

        Assert.Throws<ArgumentOutOfRangeException>(() => _writer.Advance(memory.Length + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _writer.Advance(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _writer.GetMemory(-1));
    }

    /// <summary>Reads all bytes that were written.</summary>
    private async Task<byte[]> ReadAsync()
    {
        ReadResult read = await _pipe.Reader.ReadAsync();
        return read.Buffer.ToArray();
    }
}

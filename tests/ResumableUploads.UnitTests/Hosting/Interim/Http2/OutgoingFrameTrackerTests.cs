using ResumableUploads.Hosting.Interim.Http2;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.UnitTests.Hosting.Interim.Http2;

public class OutgoingFrameTrackerTests
{
    private const int Stream = 3;

    private static readonly byte[] Final = Frame(Http2Frame.Headers, Http2Frame.EndHeaders, [0x88, 0x61]);
    private static readonly byte[] Continue = Frame(Http2Frame.Headers, Http2Frame.EndHeaders, [0x08, 3, .. "100"u8]);

    private readonly OutgoingFrameTracker _frames = new();

    public OutgoingFrameTrackerTests() => _frames.OpenStream(Stream);

    [Fact]
    public void Final_header_block_closes_stream()
    {
        _frames.Process(Final);

        Assert.False(_frames.IsOpen(Stream));
        Assert.Equal(0, _frames.OpenStreamCount);
    }

    [Fact]
    public void Reset_closes_stream()
    {
        _frames.Process(Frame(Http2Frame.ResetStream, 0, [0, 0, 0, 8]));

        Assert.False(_frames.IsOpen(Stream));
    }

    [Fact]
    public void Continue_100_keeps_stream_open()
    {
        _frames.Process(Continue);

        Assert.True(_frames.IsOpen(Stream));
    }

    [Theory]
    [InlineData(Http2Frame.EndHeaders, new byte[] { 0x08, 3, (byte)'4', (byte)'1', (byte)'8' })] // A final status as a literal.
    [InlineData(Http2Frame.EndHeaders | Http2Frame.EndStream, new byte[] { 0x08, 3, (byte)'1', (byte)'0', (byte)'0' })]
    [InlineData(Http2Frame.EndHeaders, new byte[] { 0x20, 0x08, 3, (byte)'1', (byte)'0', (byte)'0' })]
    [InlineData(Http2Frame.EndHeaders, new byte[] { 0x88 })]
    [InlineData(Http2Frame.EndHeaders, new byte[] { })]
    public void Header_block_that_may_be_final_closes_stream(byte flags, byte[] block)
    {
        _frames.Process(Frame(Http2Frame.Headers, flags, block));

        Assert.False(_frames.IsOpen(Stream));
        Assert.True(_frames.IsAtFrameBoundary);
    }

    [Fact]
    public void Response_of_another_stream_changes_nothing()
    {
        _frames.OpenStream(5);
        byte[] other = [.. Final];
        other[8] = 5;

        _frames.Process(other);

        Assert.True(_frames.IsOpen(Stream));
        Assert.False(_frames.IsOpen(5));
    }

    [Fact]
    public void Header_block_inside_a_payload_is_ignored()
    {
        _frames.Process(Frame(Http2Frame.Data, 0, [.. Final, .. Final]));

        Assert.True(_frames.IsOpen(Stream));
    }

    [Fact]
    public void Header_block_ends_with_its_last_continuation()
    {
        _frames.Process(Frame(Http2Frame.Headers, 0, [0x88]));
        Assert.False(_frames.IsAtFrameBoundary);
        _frames.Process(Frame(Http2Frame.Continuation, 0, [1]));
        Assert.False(_frames.IsAtFrameBoundary);
        _frames.Process(Frame(Http2Frame.Continuation, Http2Frame.EndHeaders, [1]));
        Assert.True(_frames.IsAtFrameBoundary);
    }

    [Fact]
    public void Frames_are_parsed_at_every_split_of_the_output()
    {
        byte[] bytes =
        [
            .. Frame(Http2Frame.Settings, 0, [0, 3, 0, 0, 0, 100], streamId: 0), .. Continue, .. Frame(Http2Frame.Data, 0, new byte[300], streamId: 1),
            .. Frame(Http2Frame.Ping, 1, new byte[8], streamId: 0), .. Final,
        ];
        int[] ends = Ends(bytes);
        for (int size = 1; size <= bytes.Length; size++)
        {
            var frames = new OutgoingFrameTracker();
            frames.OpenStream(Stream);
            for (int at = 0; at < bytes.Length; at += size)
            {
                int end = Math.Min(at + size, bytes.Length);
                frames.Process(bytes.AsSpan(at, end - at));
                Assert.Equal(ends.Contains(end), frames.IsAtFrameBoundary);
                Assert.True(frames.IsOpen(Stream) || end > bytes.Length - Final.Length);
            }

            Assert.False(frames.IsOpen(Stream));
        }
    }

    private static byte[] Frame(byte type, byte flags, byte[] payload, int streamId = Stream) =>
        [0, (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, (byte)streamId, .. payload];

    private static int[] Ends(byte[] bytes)
    {
        var ends = new List<int>();
        for (int at = 0; at < bytes.Length;)
        {
            at += 9 + (bytes[at + 1] << 8) + bytes[at + 2];
            ends.Add(at);
        }

        return [.. ends];
    }
}

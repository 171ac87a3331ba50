using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using ResumableUploads.Hosting.Interim.Http2;

namespace ResumableUploads.UnitTests.Hosting.Interim.Http2;

public class ClientSettingsTrackerTests
{
    private static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    [Theory]
    [InlineData(false)]
    [InlineData(false, 4096u)]
    [InlineData(false, 65_536u)]
    [InlineData(false, 8192u, 65_536u)]
    [InlineData(true, 4095u)]
    [InlineData(true, 0u)]
    [InlineData(true, 65_536u, 4096u)]
    [InlineData(true, 0u, 65_536u)]
    public void Reduced_header_table_is_detected_at_every_split_of_the_input(bool expected, params uint[] sizes)
    {
        byte[] bytes = [.. Preface, .. Settings(3, 100), .. sizes.SelectMany(static size => (byte[])[.. Data(40), .. Settings(1, size)]), .. Data(7)];
        for (int size = 1; size <= bytes.Length; size++)
        {
            var settings = new ClientSettingsTracker();
            foreach (byte[] chunk in bytes.Chunk(size))
            {
                settings.Process(chunk);
            }

            Assert.False(settings.IsNotHttp2);
            Assert.Equal(expected, settings.HasReducedHeaderTable);
        }
    }

    [Theory]
    [InlineData("G")]
    [InlineData("PRI * HTTP/1.1\r\n")]
    [InlineData("\u0016\u0003\u0001")]
    public void Input_without_http2_preface_is_not_inspected(string text)
    {
        var settings = new ClientSettingsTracker();
        settings.Process(Encoding.Latin1.GetBytes(text));

        Assert.True(settings.IsNotHttp2);
    }

    [Fact]
    public void Settings_with_invalid_length_end_with_their_frame()
    {
        var settings = new ClientSettingsTracker();
        settings.Process([.. Preface, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 1, 0, .. Settings(1, 0)]);

        Assert.True(settings.HasReducedHeaderTable);
    }

    [Fact]
    public async Task Reader_inspects_unconsumed_bytes_only_once()
    {
        var pipe = new Pipe();
        var settings = new ClientSettingsTracker();
        var reader = new ClientSettingsPipeReader(pipe.Reader, settings);
        byte[] bytes = [.. Preface, .. Data(3), .. Settings(1, 0)];
        var read = new List<byte>();
        foreach (byte one in bytes)
        {
            // Each byte is written alone, and is consumed together with the next one.
            await pipe.Writer.WriteAsync(new[] { one });
            ReadResult result = await reader.ReadAsync();
            long consumed = result.Buffer.Length - 1;
            read.AddRange(result.Buffer.Slice(0, consumed).ToArray());
            reader.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.End);
        }

        Assert.True(settings.HasReducedHeaderTable);
        Assert.Equal(bytes[..^1], read);
    }

    private static byte[] Settings(byte identifier, uint value) =>
        [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, identifier, (byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static byte[] Data(byte length) => [0, 0, length, 0, 0, 0, 0, 0, 1, .. Enumerable.Repeat((byte)4, length)];
}

using System.Buffers;
using System.Text;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Hosting.Interim.Http2;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.UnitTests.Hosting.Interim;

public class InterimResponseTests
{
    [Fact]
    public void ToHttp1Bytes_returns_head_without_body()
    {
        InterimResponse response = InterimResponse.TryCreate(("Location", "/upload/1"), ("Upload-Limit", "max-size=10"))!;

        Assert.Equal(
            "HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /upload/1\r\nUpload-Limit: max-size=10\r\n\r\n",
            Encoding.ASCII.GetString(response.ToHttp1Bytes()));
    }

    [Fact]
    public void ToHttp2Frame_returns_one_frame_of_literals_in_lower_case()
    {
        byte[] frame = InterimResponse.TryCreate(("Upload-Offset", "7"))!.ToHttp2Frame(5);

        Assert.Equal([0, 0, 22, 1, 4, 0, 0, 0, 5, 0x08, 3, .. "104"u8, 0, 13, .. "upload-offset"u8, 1, .. "7"u8], frame);
    }

    [Fact]
    public void Response_without_headers_has_only_the_status()
    {
        InterimResponse response = InterimResponse.TryCreate()!;

        Assert.Equal("HTTP/1.1 104 Upload Resumption Supported\r\n\r\n", Encoding.ASCII.GetString(response.ToHttp1Bytes()));
        Assert.Equal([0, 0, 5, 1, 4, 0x7F, 0xFF, 0xFF, 0xFF, 0x08, 3, .. "104"u8], response.ToHttp2Frame(int.MaxValue));
    }

    [Theory]
    [InlineData("Location", "/a\r\nSet-Cookie: b")]
    [InlineData("Location", "/a\n")]
    [InlineData("Location", "/a\0")]
    [InlineData("Location", "/a\tb")]
    [InlineData("Location", "/\u00e9")]
    [InlineData("Location", "/a\u007f")]
    [InlineData("Location", " /a")]
    [InlineData("Location", "/a ")]
    [InlineData("Loca\r\ntion", "/a")]
    [InlineData("Loca tion", "/a")]
    [InlineData("Location:", "/a")]
    [InlineData(":status", "200")]
    [InlineData("Locati\u00f6n", "/a")]
    [InlineData("", "/a")]
    public void TryCreate_with_invalid_name_or_value_returns_null(string name, string value)
    {
        Assert.Null(InterimResponse.TryCreate(("Upload-Offset", "1"), (name, value)));
    }

    [Fact]
    public void TryCreate_above_maximum_header_block_size_returns_null()
    {
        // The status takes 5 bytes, and the other header 6 bytes in addition to its value.
        string longest = new('x', InterimResponse.MaxHeaderBlockSize - 11);

        Assert.Equal(InterimResponse.MaxHeaderBlockSize + 9, InterimResponse.TryCreate(("a", longest))!.ToHttp2Frame(1).Length);
        Assert.Null(InterimResponse.TryCreate(("a", longest + "x")));
    }

    [Theory]
    [InlineData(0, new byte[] { 0 })]
    [InlineData(126, new byte[] { 126 })]
    [InlineData(127, new byte[] { 0x7F, 0 })]
    [InlineData(128, new byte[] { 0x7F, 1 })]
    [InlineData(254, new byte[] { 0x7F, 0x7F })]
    [InlineData(255, new byte[] { 0x7F, 0x80, 1 })]
    [InlineData(16_384, new byte[] { 0x7F, 0x81, 0x7F })]
    [InlineData(1_000_000, new byte[] { 0x7F, 0xC1, 0x83, 0x3D })]
    public void WriteLength_uses_a_prefix_of_seven_bits(int length, byte[] expected)
    {
        var block = new ArrayBufferWriter<byte>();

        HpackLiteralEncoder.WriteLength(block, length);

        Assert.Equal(expected, block.WrittenSpan.ToArray());
    }

    [Theory]
    [InlineData(126)]
    [InlineData(127)]
    [InlineData(255)]
    [InlineData(10_000)]
    public void Long_value_is_decoded_unchanged(int length)
    {
        string value = new('v', length);
        byte[] frame = InterimResponse.TryCreate(("X-Long", value), ("X-Next", "1"))!.ToHttp2Frame(1);

        Assert.Equal([(":status", "104"), ("x-long", value), ("x-next", "1")], new Http2Frame(1, 4, 1, frame[9..]).Literals());
    }
}

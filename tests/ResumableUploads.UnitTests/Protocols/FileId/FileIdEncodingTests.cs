using System.Text;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Protocols.FileId;

public class FileIdEncodingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("a+b", "a+b")]
    [InlineData("%41%42", "AB")]
    [InlineData("%c3%a9", "é")]
    [InlineData("%C3%A9", "é")]
    [InlineData("%2525", "%25")]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("a%41", "aA")]
    [InlineData("%G1", "%G1")]
    [InlineData("%%41", "%A")]
    [InlineData("%00", "\0")]
    public void Decode_replaces_valid_escapes_only(string text, string decoded) =>
        Assert.Equal(decoded, FileIdEncoding.Decode(Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void Decode_tries_UTF8_before_Latin1()
    {
        Assert.Equal("é", FileIdEncoding.Decode([0xc3, 0xa9]));
        Assert.Equal("é", FileIdEncoding.Decode([0xe9]));
        Assert.Equal("Ã©é", FileIdEncoding.Decode([0xc3, 0xa9, 0xe9]));
        Assert.Equal("\u00ed\u00a0\u0080", FileIdEncoding.Decode([0xed, 0xa0, 0x80]));
    }

    [Fact]
    public void Decode_of_random_bytes_does_not_throw()
    {
        var random = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = new byte[random.Next(0, 40)];
            random.NextBytes(bytes);
            Assert.NotNull(FileIdEncoding.Decode(bytes));
            Assert.NotNull(FileIdEncoding.ExtractFileName(bytes, i % 2 == 0 ? null : i));
        }
    }

    [Theory]
    [InlineData("a.bin-52428800-1763823600000", null, "a.bin")]
    [InlineData("a.bin-52428800-1763823600000", 52428800L, "a.bin")]
    [InlineData("a.bin-52428800-Sun Nov 22 2026 10:00:00 GMT-0500 (x)", null, "a.bin")]
    [InlineData("a.bin-52428800-Sun Nov 22 2026 10:00:00 GMT-0500 (x)", 52428800L, "a.bin")]
    [InlineData("a.bin-52428800-2026-11-22T15:00:00.000Z", null, "a.bin")]
    [InlineData("a.bin-52428800-2026-11-22T15:00:00.000Z", 52428800L, "a.bin")]
    [InlineData("my-long-name.tar.gz-7-1", null, "my-long-name.tar.gz")]
    [InlineData("2026-11-22-notes.txt-7-1763823600000", null, "2026-11-22-notes.txt")]
    [InlineData("2026-11-22-notes.txt-7-1763823600000", 7L, "2026-11-22-notes.txt")]
    [InlineData("report-2026.pdf-7-2026-11-22T15:00:00.000Z", 7L, "report-2026.pdf")]
    [InlineData("noextension-7-1763823600000", 7L, "noextension")]
    [InlineData("noextension-7-1763823600000", null, "noextension")]
    [InlineData("a.bin-0-1", 0L, "a.bin")]
    [InlineData("noextension-7-2026-11-22T15:00:00.000Z", 7L, "noextension")]
    [InlineData("a.b-1-c-7-1", 7L, "a.b-1-c")]
    [InlineData("a-7-b-7-1", 7L, "a-7-b")]
    [InlineData("a.bin-7-1", 8L, "a.bin")]
    [InlineData("just-a-name", null, "just-a-name")]
    [InlineData("name.txt", null, "name.txt")]
    [InlineData("123", null, "123")]
    [InlineData("-7-1", 7L, "-7-1")]
    [InlineData("-7-1", null, "-7-1")]
    [InlineData("caf%C3%A9.pdf-7-1", 7L, "café.pdf")]
    [InlineData("my%20file%20(1).pdf-52428800-Sun%20Nov%2022%202026%2010%3A00%3A00%20GMT-0500%20(x)", null, "my file (1).pdf")]
    [InlineData("a%2Fb.txt-7-1", 7L, "a/b.txt")]
    [InlineData("a.txt-1-b-34-56", 34L, "a.txt-1-b")]
    [InlineData("a.txt-1-b-34-56", null, "a.txt")]
    public void ExtractFileName_returns_name_part_of_the_id(string id, long? size, string name) =>
        Assert.Equal(name, FileIdEncoding.ExtractFileName(Encoding.Latin1.GetBytes(id), size));

    [Theory]
    [InlineData("a.1234567890-7-8-9", "a.1234567890")]
    [InlineData("a.12345678901-7-8-9", "a.12345678901-7")]
    [InlineData(".bin-7-8-9", ".bin-7")]
    [InlineData("..bin-7-8-9", "..bin-7")]
    [InlineData("a.-7-8-9", "a.-7")]
    [InlineData("a.é-7-8-9", "a.é-7")]
    public void ExtractFileName_ends_at_an_extension(string id, string name) =>
        Assert.Equal(name, FileIdEncoding.ExtractFileName(Encoding.UTF8.GetBytes(id), null));

    /// <summary>A copy of the name for each number needs minutes.</summary>
    [Fact]
    public async Task ExtractFileName_of_many_numbers_takes_linear_time()
    {
        string name = "a" + string.Concat(Enumerable.Repeat("-1", 1_000_000));
        byte[] id = Encoding.UTF8.GetBytes(name + "-1-1");
        Assert.Equal(name, await Eventually.WithinAsync(Task.Run(() => FileIdEncoding.ExtractFileName(id, null))));
    }

    [Fact]
    public void GetBytes_without_Latin1_returns_UTF8()
    {
        Assert.Equal("é"u8.ToArray(), FileIdEncoding.GetBytes("é", isLatin1: false));
        Assert.Equal([0xe9], FileIdEncoding.GetBytes("é", isLatin1: true));
    }
}

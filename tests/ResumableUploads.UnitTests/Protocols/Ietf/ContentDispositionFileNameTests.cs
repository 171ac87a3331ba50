using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.UnitTests.Protocols.Ietf;

public class ContentDispositionFileNameTests
{
    [Theory]
    [InlineData("attachment; filename=\"a.txt\"", "a.txt")]
    [InlineData("attachment; filename=a.txt", "a.txt")]
    [InlineData("attachment; filename=\"a \\\"b\\\" \\\\ c.txt\"", "a \"b\" \\ c.txt")]
    [InlineData("attachment; filename=\"a;b.txt\"", "a;b.txt")]
    [InlineData("attachment; filename=my holiday photo.jpg", "my holiday photo.jpg")]
    [InlineData("attachment; FileName = my photo.jpg ; size=3", "my photo.jpg")]
    [InlineData("attachment; filename=C:\\my files\\a.txt", "C:\\my files\\a.txt")]
    [InlineData("attachment; filename=my photo.jpg; filename*=UTF-8''m%C3%A9.jpg", "mé.jpg")]
    [InlineData("attachment; filename*=UTF-8''m%C3%A9.jpg; filename=\"m.jpg\"", "mé.jpg")]
    [InlineData("inline; filename=\"=?utf-8?B?w6kudHh0?=\"", "é.txt")]
    [InlineData("attachment; filename=\"é.txt\"", "é.txt")]
    [InlineData("attachment; filename=\"\"", "")]
    [InlineData("attachment", null)]
    [InlineData("attachment; filename=", null)]
    [InlineData("", null)]
    [InlineData(";;;", null)]
    [InlineData("attachment; filename=\"unterminated", null)]
    public void File_name_is_read_as_browsers_do(string header, string? name) => Assert.Equal(name ?? "", ContentDispositionFileName.Get(header) ?? "");
}

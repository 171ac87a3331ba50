using System.Text;
using ResumableUploads.Hosting.Events;

namespace ResumableUploads.UnitTests.Hosting.Events;

public class FileNameSanitizerTests
{
    [Theory]
    [InlineData(null, "file")]
    [InlineData("", "file")]
    [InlineData(" ", "file")]
    [InlineData(".", "file")]
    [InlineData("..", "file")]
    [InlineData(". . .", "file")]
    [InlineData("/", "file")]
    [InlineData("a/", "file")]
    [InlineData("report.pdf", "report.pdf")]
    [InlineData("-rf", "_-rf")]
    [InlineData("--help.txt", "_--help.txt")]
    [InlineData(".-x", "_-x")]
    [InlineData("a-b.txt", "a-b.txt")]
    [InlineData("мой файл.txt", "мой файл.txt")]
    [InlineData("报告 (1).pdf", "报告 (1).pdf")]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("..\\..\\boot.ini", "boot.ini")]
    [InlineData("C:\\Users\\x\\a.txt", "a.txt")]
    [InlineData("C:a.txt", "C_a.txt")]
    [InlineData("a.txt:stream", "a.txt_stream")]
    [InlineData("/etc/passwd", "passwd")]
    [InlineData("a/b\\c", "c")]
    [InlineData(".htaccess", "htaccess")]
    [InlineData("...hidden", "hidden")]
    [InlineData("name.", "name")]
    [InlineData("name. . ", "name")]
    [InlineData("  name  ", "name")]
    [InlineData("a<b>c:d\"e|f?g*h", "a_b_c_d_e_f_g_h")]
    [InlineData("a\0b\nc\rd\u007fe\u0085f", "a_b_c_d_e_f")]
    public void Sanitize_removes_directories_and_unsafe_characters(string? raw, string safe) => Assert.Equal(safe, FileNameSanitizer.Sanitize(raw));

    [Theory]
    [InlineData("CON", "_CON")]
    [InlineData("con", "_con")]
    [InlineData("Con.txt", "_Con.txt")]
    [InlineData("CON.tar.gz", "_CON.tar.gz")]
    [InlineData("CON .txt", "_CON .txt")]
    [InlineData("NUL", "_NUL")]
    [InlineData("AUX.c", "_AUX.c")]
    [InlineData("PRN", "_PRN")]
    [InlineData("COM1", "_COM1")]
    [InlineData("com9.log", "_com9.log")]
    [InlineData("LPT¹", "_LPT¹")]
    [InlineData("CONIN$", "_CONIN$")]
    [InlineData("../CON", "_CON")]
    [InlineData("CON.", "_CON")]
    [InlineData(".CON", "_CON")]
    [InlineData("CONSOLE", "CONSOLE")]
    [InlineData("COM10", "COM10")]
    public void Sanitize_prefixes_Windows_device_names(string raw, string safe) => Assert.Equal(safe, FileNameSanitizer.Sanitize(raw));

    [Theory]
    [InlineData("a\u202Egpj.exe")]
    [InlineData("a\u2066b\u2069.txt")]
    [InlineData("a\u200Fb.txt")]
    [InlineData("a\u200Bb.txt")]
    [InlineData("a\uFEFFb.txt")]
    [InlineData("a\u2028b\u2029.txt")]
    [InlineData("a\uE000.txt")]
    public void Sanitize_replaces_invisible_and_bidirectional_characters(string raw)
    {
        string safe = FileNameSanitizer.Sanitize(raw);
        Assert.Contains('_', safe);
        Assert.DoesNotContain(safe, static c => char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.Format
            or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator
            or System.Globalization.UnicodeCategory.PrivateUse);
    }

    [Fact]
    public void Sanitize_replaces_unpaired_surrogates()
    {
        Assert.Equal("a_b", FileNameSanitizer.Sanitize("a\ud83db"));
        Assert.Equal("a_b", FileNameSanitizer.Sanitize("a\ude00b"));
        Assert.Equal("_", FileNameSanitizer.Sanitize("\ud83d"));
        Assert.Equal("😀", FileNameSanitizer.Sanitize("😀"));
    }

    [Fact]
    public void Sanitize_limits_name_to_200_bytes_and_keeps_extension()
    {
        string safe = FileNameSanitizer.Sanitize(new string('a', 1000) + ".pdf");
        Assert.Equal(200, Encoding.UTF8.GetByteCount(safe));
        Assert.EndsWith("a.pdf", safe, StringComparison.Ordinal);
        Assert.Equal(200, FileNameSanitizer.Sanitize("a." + new string('b', 1000)).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Sanitize_does_not_split_a_surrogate_pair(int prefixLength)
    {
        string safe = FileNameSanitizer.Sanitize(new string('a', prefixLength) + string.Concat(Enumerable.Repeat("😀", 100)) + ".png");
        Assert.InRange(Encoding.UTF8.GetByteCount(safe), 197, 200);
        Assert.EndsWith("😀.png", safe, StringComparison.Ordinal);
        Assert.Equal(safe, FileNameSanitizer.Sanitize(safe));
    }

    [Fact]
    public void Sanitize_trims_trailing_dots_and_spaces_after_truncation()
    {
        foreach (string raw in new[] { new string('a', 199) + ". b" + new string('c', 100), new string('a', 199) + " " + new string('b', 300), new string('a', 198) + ".." + new string('b', 300) })
        {
            string safe = FileNameSanitizer.Sanitize(raw);
            Assert.InRange(Encoding.UTF8.GetByteCount(safe), 1, 200);
            Assert.False(safe[^1] is '.' or ' ', safe);
        }
    }

    [Fact]
    public void AppendNumber_inserts_before_extension_and_keeps_limit()
    {
        Assert.Equal("a.txt", FileNameSanitizer.AppendNumber("a.txt", 0));
        Assert.Equal("a (1).txt", FileNameSanitizer.AppendNumber("a.txt", 1));
        Assert.Equal("a (12)", FileNameSanitizer.AppendNumber("a", 12));
        string longest = FileNameSanitizer.Sanitize(new string('a', 1000) + ".pdf");
        Assert.EndsWith("a (2147483647).pdf", FileNameSanitizer.AppendNumber(longest, int.MaxValue), StringComparison.Ordinal);
        Assert.Equal(200, FileNameSanitizer.AppendNumber(longest, int.MaxValue).Length);
    }

    [Fact]
    public void Sanitize_random_input_returns_safe_name_and_is_idempotent()
    {
        var random = new Random(2);
        string special = "/\\.:*?\"<>| \0\n\u202e\ud83d\ude00éCONul1¹$(";
        for (int i = 0; i < 5000; i++)
        {
            string raw = string.Concat(Enumerable.Range(0, random.Next(0, 400)).Select(_ => random.Next(3) == 0 ? (char)random.Next(0x10000) : special[random.Next(special.Length)]));
            string safe = FileNameSanitizer.Sanitize(raw);
            Assert.InRange(Encoding.UTF8.GetByteCount(safe), 1, 200);
            Assert.Equal(safe, Path.GetFileName(safe));
            Assert.False(safe is "." or ".." || safe[0] is '.' or ' ' || safe[^1] is '.' or ' ', raw);
            Assert.DoesNotContain(safe, static c => c < ' ' || "<>:\"|?*/\\".Contains(c));
            Assert.Equal(safe, FileNameSanitizer.Sanitize(safe));
        }
    }
}

using System.Text.RegularExpressions;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Testing;

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
    [InlineData("attachment; filename", null)]
    [InlineData("attachment; filename*", null)]
    [InlineData("attachment; filename*; filename=a.txt", "a.txt")]
    [InlineData("attachment; filename*=utf-7''a", null)]
    [InlineData("attachment; filename*=UTF-7''a; filename=a.txt", "a.txt")]
    [InlineData("attachment; filename=\"=?utf-7?B?YQ==?=\"", null)]
    [InlineData("attachment; filename=\"=?utf-7?B?YQ==?=\"; filename*=UTF-8''b", "b")]
    [InlineData("", null)]
    [InlineData(";;;", null)]
    [InlineData("attachment; filename=\"unterminated", null)]
    public void File_name_is_read_as_browsers_do(string header, string? name) => Assert.Equal(name ?? "", ContentDispositionFileName.Get(header) ?? "");

    /// <summary>A pattern that tries the rest of the header at each blank needs minutes.</summary>
    [Fact]
    public async Task File_name_with_many_blanks_is_read_in_linear_time()
    {
        string blanks = new(' ', 1_000_000);
        Assert.Null(await Eventually.WithinAsync(Task.Run(() => ContentDispositionFileName.Get($"attachment; filename=a{blanks}\""))));
        Assert.Equal($"a{blanks}b", await Eventually.WithinAsync(Task.Run(() => ContentDispositionFileName.Get($"attachment; filename=a{blanks}b{blanks}"))));
        Assert.Null(await Eventually.WithinAsync(Task.Run(() => ContentDispositionFileName.Get(string.Concat(Enumerable.Repeat("; ", 500_000))))));
    }

    [Fact]
    public void Names_without_quotes_are_those_of_the_pattern()
    {
        string[] tokens = ["; ", ";", " ", "filename", "FileName", "=", " = ", "a", "b c", "\"", "\\", "filename*", "UTF-8''m%C3%A9", "\t", "x=1"];
        var random = new Random(1);
        var names = new HashSet<string>();
        for (int i = 0; i < 20_000; i++)
        {
            string header = (i % 2 == 0 ? "attachment" : "attachment; filename=") + string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => tokens[random.Next(tokens.Length)]));
            string quoted = ContentDispositionHeaderValue.TryParse(header, out _) ? header : QuoteByPattern(header);
            string? expected = ContentDispositionHeaderValue.TryParse(quoted, out _) ? ContentDispositionFileName.Get(quoted) : null;
            Assert.Equal((header, expected), (header, ContentDispositionFileName.Get(header)));
            names.Add(expected ?? "");
        }

        Assert.True(names.Count > 50, "The headers are too simple.");
    }

    /// <summary>Returns a header with quotes around the file names without quotes.</summary>
    private static string QuoteByPattern(string header) => Regex.Replace(
        header,
        """(?<parameter>;\s*filename\s*=\s*)(?<name>[^"\s;][^";]*?)(?=\s*(;|$))""",
        static match => $"{match.Groups["parameter"].Value}\"{match.Groups["name"].Value.Replace("\\", "\\\\", StringComparison.Ordinal)}\"",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);
}

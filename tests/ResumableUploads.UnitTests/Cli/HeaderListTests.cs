using ResumableUploads.Cli;
using ResumableUploads.Cli.CommandLine;
using ResumableUploads.Cli.Running;

namespace ResumableUploads.UnitTests.Cli;

public class HeaderListTests
{
    [Fact]
    public void Parse_lines_returns_names_and_values()
    {
        Dictionary<string, string> headers = HeaderList.Parse(["Authorization: Bearer a:b", "  X-Empty:", "", "# comment", "X-Tight:1\r"], "test");
        Assert.Equal([new("Authorization", "Bearer a:b"), new("X-Empty", ""), new("X-Tight", "1")], headers);
    }

    [Theory]
    [InlineData("secret")]
    [InlineData(": secret")]
    [InlineData("X A: secret")]
    [InlineData("X-Ä: secret")]
    [InlineData("X-A: secret\nX-B: secret")]
    [InlineData("X-A: secret\u0001")]
    [InlineData("X-A: secret ü")]
    public void Parse_invalid_line_throws_without_the_value(string line)
    {
        var exception = Assert.Throws<UsageException>(() => HeaderList.Parse([line], "--header"));
        Assert.StartsWith("--header: ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_same_name_twice_throws()
    {
        Assert.Throws<UsageException>(() => HeaderList.Parse(["X-A: 1", "x-a: 2"], "test"));
    }

    [Fact]
    public void Read_later_source_replaces_the_earlier_one()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "X-B: file\nX-C: file\n");
            var sources = new HeaderSources(["X-C: argument"], file, "X-A: variable\nX-B: variable");
            Assert.Equal([new("X-A", "variable"), new("X-B", "file"), new("X-C", "argument")], sources.Read());
            File.WriteAllText(file, new string('x', 70_000));
            Assert.Throws<UsageException>(sources.Read);
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Throws<UsageException>(new HeaderSources([], file, null).Read);
    }

    [Theory]
    [InlineData("Content-Type", "Use --content-type.")]
    [InlineData("upload-offset", "set by the command itself")]
    [InlineData("X-File-Id", "set by the command itself")]
    public void Provider_header_of_the_protocol_throws(string name, string message)
    {
        var exception = Assert.Throws<UsageException>(() => new HeaderProvider(new HeaderSources([$"{name}: 1"], null, null)));
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}

using ResumableUploads.Cli;
using ResumableUploads.Cli.CommandLine;
using ResumableUploads.Client;

namespace ResumableUploads.UnitTests.Cli;

public class ArgumentParserTests
{
    private const string Url = "https://example.com/upload";

    [Fact]
    public void Parse_files_and_url_returns_the_defaults()
    {
        CommandSettings settings = Parse("a", "b", "--to", Url)!;

        Assert.Equal(CommandKind.Upload, settings.Kind);
        Assert.Equal(["a", "b"], settings.Paths);
        Assert.Equal(new Uri(Url), settings.To);
        Assert.Equal(UploadProtocol.FileId, settings.Protocol);
        Assert.Equal(HttpMethod.Post, settings.Method);
        Assert.Equal((3, 10), (settings.Concurrency, settings.Retries));
        Assert.Null(settings.ChunkSize);
        Assert.Equal(UploadDigest.None, settings.Digest);
        Assert.Empty(settings.Headers.Read());
        Assert.Equal(new OutputSettings(), settings.Output);
    }

    [Fact]
    public void Parse_all_options_returns_their_values()
    {
        CommandSettings settings = Parse(
            "-", "--to", Url, "--protocol", "TUS", "-H", "X-A: 1", "-H", "X-B: 2", "-c", "5", "--chunk-size", "8MiB", "--digest", "sha-512", "--method", "put", "--name", "n", "--content-type",
            "text/plain", "--id", "i", "--retries", "0", "--size", "5", "--follow-links", "--json", "--quiet", "--no-color", "--allow-other-hosts")!;

        Assert.Equal(UploadProtocol.Tus, settings.Protocol);
        Assert.Equal(HttpMethod.Put, settings.Method);
        Assert.Equal((5, 0), (settings.Concurrency, settings.Retries));
        Assert.Equal((8 * 1024 * 1024, 5), (settings.ChunkSize, settings.Size));
        Assert.Equal(UploadDigest.Sha512, settings.Digest);
        Assert.Equal(("n", "text/plain", "i"), (settings.Name, settings.ContentType, settings.Id));
        Assert.Equal([new("X-A", "1"), new("X-B", "2")], settings.Headers.Read());
        Assert.True(settings.FollowLinks && settings.AllowOtherHosts);
        Assert.Equal(new OutputSettings { Json = true, Quiet = true, NoColor = true }, settings.Output);
    }

    [Theory]
    [InlineData("status", CommandKind.Status)]
    [InlineData("cancel", CommandKind.Cancel)]
    public void Parse_name_of_a_command_first_returns_the_command(string name, object kind)
    {
        CommandSettings settings = Parse(name, "a", "--to", Url)!;
        Assert.Equal(kind, settings.Kind);
        Assert.Equal(["a"], settings.Paths);
    }

    [Theory]
    [InlineData("a", "status")]
    [InlineData("./status", "cancel")]
    [InlineData("@a", "[suggest:1]")]
    public void Parse_other_arguments_are_files(string first, string second)
    {
        CommandSettings settings = Parse(first, second, "--to", Url)!;
        Assert.Equal(CommandKind.Upload, settings.Kind);
        Assert.Equal([first, second], settings.Paths);
    }

    [Fact]
    public void Parse_after_double_dash_everything_is_a_file()
    {
        Assert.Equal(["a", "--json", "-q"], Parse("--to", Url, "--", "a", "--json", "-q")!.Paths);
    }

    [Theory]
    [InlineData("required", "a")]
    [InlineData("FILE", "--to", Url)]
    [InlineData("absolute http or https URL", "a", "--to", "/upload")]
    [InlineData("absolute http or https URL", "a", "--to", "ftp://example.com/")]
    [InlineData("user name or password", "a", "--to", "https://me:secret@example.com/")]
    [InlineData("file-id, tus or ietf", "a", "--to", Url, "--protocol", "http")]
    [InlineData("--concurrency must be 1 to 64", "a", "--to", Url, "--concurrency", "0")]
    [InlineData("--concurrency must be 1 to 64", "a", "--to", Url, "-c", "65")]
    [InlineData("--retries", "a", "--to", Url, "--retries", "many")]
    [InlineData("--chunk-size", "a", "--to", Url, "--chunk-size", "0")]
    [InlineData("--chunk-size", "a", "--to", Url, "--chunk-size", "4GiB")]
    [InlineData("--chunk-size", "a", "--to", Url, "--chunk-size", "-1")]
    [InlineData("sha-256 or sha-512", "a", "--to", Url, "--digest", "md5")]
    [InlineData("POST, PUT or PATCH", "a", "--to", Url, "--method", "GET")]
    [InlineData("--content-type is not a media type", "a", "--to", Url, "--content-type", "text")]
    [InlineData("--id requires exactly one file", "a", "b", "--to", Url, "--id", "i")]
    [InlineData("--name requires exactly one file", "a", "b", "--to", Url, "--name", "n")]
    [InlineData("--size is only for standard input", "a", "--to", Url, "--size", "1")]
    [InlineData("--insecure does not exist", "a", "--to", Url, "--insecure")]
    [InlineData("--insecure does not exist", "a", "--to", Url, "-k")]
    [InlineData("Unknown option --wrong.", "a", "--to", Url, "--wrong")]
    [InlineData("unless --id names it", "status", "-", "--to", Url)]
    [InlineData("Unknown option --concurrency.", "status", "a", "--to", Url, "--concurrency", "2")]
    public void Parse_invalid_arguments_throws(string message, params string[] arguments)
    {
        var exception = Assert.Throws<UsageException>(() => Parse(arguments));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("status", "--help")]
    [InlineData("a", "--help")]
    public void Parse_help_prints_exit_codes_and_variables(params string[] arguments)
    {
        var output = new StringWriter();
        Assert.Null(ArgumentParser.Parse(arguments, static _ => null, output));
        Assert.Contains("resup", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("insecure", output.ToString(), StringComparison.Ordinal);
        foreach (ExitCode exitCode in Enum.GetValues<ExitCode>())
        {
            Assert.Matches($@"(?m)^  {(int)exitCode} +\w", output.ToString());
        }
    }

    [Fact]
    public void Parse_version_prints_the_version()
    {
        var output = new StringWriter();
        Assert.Null(ArgumentParser.Parse(["--version"], static _ => null, output));
        Assert.Matches(@"^\d+\.\d+\.\d+\S*\r?\n$", output.ToString());
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("", false)]
    public void Parse_no_color_variable_counts_if_it_is_not_empty(string value, bool expected)
    {
        CommandSettings settings = ArgumentParser.Parse(["a", "--to", Url], name => name == "NO_COLOR" ? value : null, TextWriter.Null)!;
        Assert.Equal(expected, settings.Output.NoColor);
    }

    private static CommandSettings? Parse(params string[] arguments) => ArgumentParser.Parse(arguments, static _ => null, TextWriter.Null);
}

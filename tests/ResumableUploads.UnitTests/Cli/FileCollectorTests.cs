using ResumableUploads.Cli;
using ResumableUploads.Cli.Files;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Cli;

public sealed class FileCollectorTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cli-files-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Folder_is_walked_with_relative_paths()
    {
        Create("f/x", "f/a/x", "f/a/b/x");
        FileCollector files = Collect("f");
        Assert.Equal(["f/a/b/x", "f/a/x", "f/x"], files.Items.Select(static item => item.RelativePath));
        Assert.All(files.Items, static item => Assert.Equal(1, item.Length));
        Assert.Empty(files.Problems);
    }

    [Theory]
    [InlineData("f/")]
    [InlineData("f/.")]
    [InlineData("f/a/..")]
    public void Folder_name_is_that_of_the_folder_however_it_is_written(string path)
    {
        Create("f/a/x");
        Assert.Equal("f/a/x", Assert.Single(Collect(path).Items).RelativePath);
    }

    [Fact]
    public void Same_file_is_collected_once()
    {
        Create("f/x");
        FileCollector files = Collect("f", "f/x", "f/../f/x", "f");
        Assert.Single(files.Items);
    }

    [Fact]
    public void Link_in_a_folder_is_skipped_and_reported()
    {
        RequireLinks();
        Create("f/x", "secret");
        File.CreateSymbolicLink(Full("f/link"), Full("secret"));
        FileCollector files = Collect("f");
        Assert.Equal("f/x", Assert.Single(files.Items).RelativePath);
        FileProblem problem = Assert.Single(files.Problems);
        Assert.False(problem.IsError);
        Assert.EndsWith("link", problem.DisplayPath, StringComparison.Ordinal);
    }

    [Fact]
    public void Link_on_the_command_line_is_followed()
    {
        RequireLinks();
        Create("target");
        File.WriteAllBytes(Full("target"), new byte[100]);
        File.CreateSymbolicLink(Full("link"), Full("target"));
        Assert.Equal(100, Assert.Single(Collect("link").Items).Length);
    }

    [Fact]
    public void Loops_of_followed_links_end()
    {
        RequireLinks();
        Create("f/x", "g/y");
        Directory.CreateSymbolicLink(Full("f/self"), Full("f"));
        Directory.CreateSymbolicLink(Full("f/up"), _root);
        Directory.CreateSymbolicLink(Full("g/f"), Full("f"));
        File.CreateSymbolicLink(Full("f/dangling"), Full("missing"));

        FileCollector files = Collect(followLinks: true, "f");

        Assert.Equal(["f/up/g/y", "f/x"], files.Items.Select(static item => item.RelativePath));
        Assert.Equal("dangling", Path.GetFileName(Assert.Single(files.Problems, static problem => problem.IsError).DisplayPath));
    }

    [Fact]
    public async Task Pipe_in_a_folder_is_skipped()
    {
        Needs.Require(OperatingSystem.IsLinux(), "Pipes are recognized on Linux.");
        Create("f/x");
        Assert.Equal(0, await Needs.RunAsync("mkfifo", Full("f/pipe")));
        FileCollector files = Collect("f");
        Assert.Single(files.Items);
        Assert.EndsWith("pipe", Assert.Single(files.Problems).DisplayPath, StringComparison.Ordinal);
        Assert.Null(Assert.Single(Collect("f/pipe").Items).Length);
    }

    [Fact]
    public void Empty_folder_is_a_warning_and_a_missing_file_an_error()
    {
        Directory.CreateDirectory(Full("empty/deeper"));
        FileProblem problem = Assert.Single(Collect("empty").Problems);
        Assert.False(problem.IsError);
        Assert.Equal("The folder has no files.", problem.Message);
        Assert.Contains("No such file", Assert.Throws<UsageException>(() => Collect("missing")).Message, StringComparison.Ordinal);
    }

    private static void RequireLinks() => Needs.Require(!OperatingSystem.IsWindows(), "Symbolic links require privileges on Windows.");

    private FileCollector Collect(params string[] paths) => Collect(followLinks: false, paths);

    private FileCollector Collect(bool followLinks, params string[] paths)
    {
        var files = new FileCollector(followLinks);
        foreach (string path in paths)
        {
            files.Add(Full(path));
        }

        return files;
    }

    private string Full(string path) => Path.Combine(_root, path);

    private void Create(params string[] paths)
    {
        foreach (string path in paths)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Full(path))!);
            File.WriteAllBytes(Full(path), [1]);
        }
    }
}

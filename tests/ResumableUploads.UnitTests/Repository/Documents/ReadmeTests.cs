using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository.Documents;

public class ReadmeTests
{
    private const int MaxLines = 200;

    [Fact]
    public void Readme_has_at_most_200_lines()
    {
        Assert.InRange(File.ReadLines(Path.Combine(RepositoryFiles.Root, "README.md")).Count(), 1, MaxLines);
    }
}

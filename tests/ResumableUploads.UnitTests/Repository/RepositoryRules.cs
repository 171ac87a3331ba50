using System.Text.RegularExpressions;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository;

public partial class RepositoryRules
{
    private const int MaxLines = 400;

    [Fact]
    public void No_source_file_is_longer_than_400_lines()
    {
        string[] files = [.. RepositoryFiles.Files().Where(static file => file.StartsWith("src/", StringComparison.Ordinal) && !file.Contains("PublicAPI.", StringComparison.Ordinal))];

        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, static file => File.ReadLines(Path.Combine(RepositoryFiles.Root, file)).Take(MaxLines + 1).Count() > MaxLines);
    }

    [Fact]
    public void No_file_holds_a_path_of_a_machine_or_the_address_of_a_package_mirror()
    {
        var found = new List<string>();
        foreach (string file in RepositoryFiles.Files())
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, file));
            if (!bytes.Contains((byte)0) && OfOneMachine().Match(System.Text.Encoding.UTF8.GetString(bytes)) is { Success: true } match)
            {
                found.Add($"{file}: {match.Value}");
            }
        }

        Assert.Empty(found);
    }

    [Theory]
    [InlineData("cd '/{0}/project'", "work")]
    [InlineData("/{0}/.nuget", "root")]
    [InlineData("(/{0}/me/x)", "home")]
    [InlineData("http://{0}.example.org/npm/", "registry")]
    [InlineData("https://{0}:8081/repository", "nexus")]
    public void A_planted_path_or_mirror_is_found(string text, string part)
    {
        Assert.Matches(OfOneMachine(), string.Format(text, part));
    }

    [Theory]
    [InlineData("src/work/x")]
    [InlineData("https://www.nuget.org/packages/ResumableUploads")]
    [InlineData("/uploads/work")]
    public void What_is_nobodys_machine_is_left_alone(string text)
    {
        Assert.DoesNotMatch(OfOneMachine(), text);
    }

    // Written so that it does not match itself.
    [GeneratedRegex("(?<![\\w.\\-/])/(?:work|root|home)/(?!\\))|https?://(?:[\\w\\-.]*\\.)?(?:registry|nexus|artifactory|mirrors?|proxy)[\\w\\-.]*[.:][\\w\\-.]+")]
    private static partial Regex OfOneMachine();
}

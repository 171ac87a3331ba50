using System.Text.RegularExpressions;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository;

public partial class RepositoryFileTests
{
    [Fact]
    public void Files_contain_no_machine_path_or_package_mirror()
    {
        var found = new List<string>();
        foreach (string file in RepositoryFiles.Files())
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, file));
            if (!bytes.Contains((byte)0) && MachineSpecific().Match(System.Text.Encoding.UTF8.GetString(bytes)) is { Success: true } match)
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
    public void MachineSpecific_planted_path_or_mirror_is_found(string text, string part)
    {
        Assert.Matches(MachineSpecific(), string.Format(text, part));
    }

    [Theory]
    [InlineData("src/work/x")]
    [InlineData("https://www.nuget.org/packages/ResumableUploads")]
    [InlineData("/uploads/work")]
    public void MachineSpecific_other_path_or_address_is_ignored(string text)
    {
        Assert.DoesNotMatch(MachineSpecific(), text);
    }

    // The pattern does not match its own source.
    [GeneratedRegex("(?<![\\w.\\-/])/(?:work|root|home)/(?!\\))|https?://(?:[\\w\\-.]*\\.)?(?:registry|nexus|artifactory|mirrors?|proxy)[\\w\\-.]*[.:][\\w\\-.]+")]
    private static partial Regex MachineSpecific();
}

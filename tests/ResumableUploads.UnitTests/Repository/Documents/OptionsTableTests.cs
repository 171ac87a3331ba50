using ResumableUploads.Testing;
using ResumableUploads.UnitTests.Repository.Api;

namespace ResumableUploads.UnitTests.Repository.Documents;

public class OptionsTableTests
{
    public static TheoryData<string> Groups => [.. OptionsTable.Groups];

    [Theory]
    [MemberData(nameof(Groups))]
    public void Configuration_page_lists_every_option_with_its_default(string group)
    {
        IReadOnlyList<string> differences = OptionsTable.Differences(group, RepositoryFiles.Read("docs/configuration.md"));
        Assert.True(
            differences.Count == 0,
            $"{string.Join('\n', differences)}\n\nThe table with the summaries of the doc comments:\n\n{OptionsTable.Render(group, ApiDocumentation.Load())}");
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void Differences_of_rendered_table_is_empty(string group)
    {
        Assert.Empty(OptionsTable.Differences(group, $"# Options\n\n{OptionsTable.Render(group, ApiDocumentation.Load())}\nMore."));
    }

    [Theory]
    [InlineData("General", "| `MaxUploadSize` | 10 GiB | The maximum size of an upload, in bytes. |")]
    [InlineData("General", "| `Expiration` | 7 days |")]
    [InlineData("General", "| `UploadPath` | `/upload` |")]
    [InlineData("Timeouts", "| `Timeouts.ProgressInterval` | 0.5 s |")]
    [InlineData("Limits", "| `Limits.MaxUploadsPerOwner` | 1,000 |")]
    public void Render_contains_row(string group, string row)
    {
        Assert.Contains(row, OptionsTable.Render(group, ApiDocumentation.Load()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("| `MaxUploadSize` | 10 GiB |", "| `MaxUploadSize` | 9 GiB |", "`MaxUploadSize` is 10 GiB, but the table says 9 GiB.")]
    [InlineData("| `Expiration` |", "| `Expiry` |", "`Expiration` is missing.")]
    [InlineData("| `Expiration` |", "| `Expiry` |", "General has no option `Expiry`.")]
    [InlineData("| `Expiration` |", "| `MaxUploadSize` |", "`MaxUploadSize` has two rows.")]
    [InlineData("<!-- /options:General -->", "", "There is no table between <!-- options:General --> and <!-- /options:General -->.")]
    public void Differences_planted_error_is_found(string valid, string invalid, string difference)
    {
        string table = OptionsTable.Render(OptionsTable.General, ApiDocumentation.Load());
        Assert.Contains(valid, table, StringComparison.Ordinal);
        Assert.Contains(difference, OptionsTable.Differences(OptionsTable.General, table.Replace(valid, invalid, StringComparison.Ordinal)));
    }
}

using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository;

public class ReadmeTests
{
    private static readonly string Readme = RepositoryFiles.Read("README.md");

    [Fact]
    public void Every_block_of_csharp_compiles()
    {
        IReadOnlyList<string> blocks = ReadmeCode.Blocks(Readme, "csharp");
        Assert.NotEmpty(blocks);
        Assert.All(blocks, static block => Assert.Empty(ReadmeCode.CSharpErrors(block)));
    }

    [Fact]
    public async Task Every_block_of_js_parses()
    {
        foreach (string block in ReadmeCode.Blocks(Readme, "js"))
        {
            Assert.Null(await ReadmeCode.JavaScriptErrorAsync(block));
        }
    }

    [Fact]
    public void The_table_of_options_is_whole_and_true()
    {
        IReadOnlyList<string> faults = OptionsTable.Faults(Readme);
        Assert.True(faults.Count == 0, $"{string.Join('\n', faults)}\n\nThe table, to be pasted:\n\n{OptionsTable.Render(ApiDocs.Load())}");
    }

    [Theory]
    [InlineData("var app = WebApplication.Create(args);\napp.UseResumableUploads(o => o.OnCompleted = (upload, ct) => upload.MoveIntoAsync(\"inbox\", ct));\napp.Run();")]
    [InlineData("using ResumableUploads;\n\npublic sealed class Mine\n{\n    public ResumableUploadOptions Options { get; } = new() { MaxUploadSize = 1L << 30 };\n}")]
    public void A_program_or_a_type_of_the_sample_compiles(string code)
    {
        string block = Assert.Single(ReadmeCode.Blocks($"# Title\n\n```csharp\n{code}\n```\n\n```sh\nls\n```\n", "csharp"));
        Assert.Equal(code, block);
        Assert.Empty(ReadmeCode.CSharpErrors(block));
    }

    [Theory]
    [InlineData("var app = WebApplication.Create(args);\napp.UseResumableUploads(o => o.NoSuchOption = 1);", "NoSuchOption")]
    [InlineData("app.UseResumableUploads();", "'app'")]
    [InlineData("class A { string B { get; set; } }", "CS8618")]
    public void What_does_not_compile_is_told(string code, string part)
    {
        Assert.Contains(ReadmeCode.CSharpErrors(code), error => error.Contains(part, StringComparison.Ordinal));
    }

    [Fact]
    public async Task JavaScript_that_does_not_parse_is_told()
    {
        Assert.Null(await ReadmeCode.JavaScriptErrorAsync("const file = await fetch('status'); export { file };"));
        Assert.Contains("SyntaxError", await ReadmeCode.JavaScriptErrorAsync("const = 1;"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_rendered_table_has_no_fault()
    {
        string table = OptionsTable.Render(ApiDocs.Load());
        Assert.Empty(OptionsTable.Faults($"# Options\n\n{table}\nMore."));
        Assert.Contains("| `MaxUploadSize` | 10 GiB | The maximum size of an upload, in bytes. |", table, StringComparison.Ordinal);
        Assert.Contains("| `Expiration` | 7 days |", table, StringComparison.Ordinal);
        Assert.Contains("| `Timeouts.ProgressInterval` | 0.5 s |", table, StringComparison.Ordinal);
        Assert.Contains("| `Limits.MaxUploadsPerOwner` | 1,000 |", table, StringComparison.Ordinal);
        Assert.Contains("| `UploadPath` | `/upload` |", table, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("| `MaxUploadSize` | 10 GiB |", "| `MaxUploadSize` | 9 GiB |", "`MaxUploadSize` is 10 GiB, and the table says 9 GiB.")]
    [InlineData("| `Timeouts.MaxAge` |", "| `MinAge` |", "`Timeouts.MaxAge` is missing.")]
    [InlineData("| `Timeouts.MaxAge` |", "| `MinAge` |", "There is no option `MinAge`.")]
    [InlineData("| `Timeouts.MaxAge` |", "| `Expiration` |", "`Expiration` has two rows.")]
    [InlineData("<!-- /options -->", "", "There is no table between <!-- options --> and <!-- /options -->.")]
    public void A_fault_in_the_table_is_told(string right, string wrong, string fault)
    {
        Assert.Contains(fault, OptionsTable.Faults(OptionsTable.Render(ApiDocs.Load()).Replace(right, wrong, StringComparison.Ordinal)));
    }
}

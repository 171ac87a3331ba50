using ResumableUploads.Testing;
using ResumableUploads.Testing.Documents;

namespace ResumableUploads.UnitTests.Repository.Documents;

public class CodeBlockTests
{
    /// <summary>Gets the documents for users that contain C#.</summary>
    public static TheoryData<string> Documents =>
    [
        .. RepositoryFiles.Files("", ".md").Where(static file =>
            (file == "README.md" || file.StartsWith("docs/", StringComparison.Ordinal) || file.StartsWith("src/", StringComparison.Ordinal) || file.StartsWith("samples/", StringComparison.Ordinal))
            && new MarkdownDocument(RepositoryFiles.Read(file)).Blocks("csharp", "cs", "c#").Any()),
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void CSharp_blocks_compile(string file)
    {
        Findings.AssertNone("Errors in code blocks", new MarkdownDocument(RepositoryFiles.Read(file)).Blocks("csharp", "cs", "c#")
            .SelectMany(block => CSharpCompiler.Errors(block.Code).Select(error => $"{file}({block.Line}): {error}")));
    }

    [Fact]
    public void Documents_with_CSharp_include_readme_and_docs()
    {
        string[] files = [.. Documents.Select(static row => row.Data)];
        Assert.Contains("README.md", files);
        Assert.Contains("docs/configuration.md", files);
        Assert.Contains("docs/stores/writing-a-store.md", files);
        Assert.Contains("src/ResumableUploads.TestKit/README.md", files);
    }

    [Theory]
    [InlineData("var app = WebApplication.Create(args);\napp.UseResumableUploads(o => o.OnCompleted = (upload, ct) => upload.MoveToDirectoryAsync(\"inbox\", ct));\napp.Run();")]
    [InlineData("using ResumableUploads;\n\npublic sealed class Mine\n{\n    public ResumableUploadOptions Options { get; } = new() { MaxUploadSize = 1L << 30 };\n}")]
    public void CSharp_errors_valid_program_or_type_is_empty(string code)
    {
        Assert.Empty(CSharpCompiler.Errors(code));
    }

    [Theory]
    [InlineData("var app = WebApplication.Create(args);\napp.UseResumableUploads(o => o.NoSuchOption = 1);", "NoSuchOption")]
    [InlineData("app.UseResumableUploads();", "'app'")]
    [InlineData("class A { string B { get; set; } }", "CS8618")]
    public void CSharp_errors_invalid_code_names_the_cause(string code, string cause)
    {
        Assert.Contains(CSharpCompiler.Errors(code), error => error.Contains(cause, StringComparison.Ordinal));
    }

    [Fact]
    public void Blocks_of_language_returns_code_and_line()
    {
        var document = new MarkdownDocument("# Title\n\n```csharp\nvar a = 1;\nvar b = 2;\n```\n\n```sh\nls\n```\n");
        Assert.Equal(new CodeBlock("csharp", 4, "var a = 1;\nvar b = 2;"), Assert.Single(document.Blocks("csharp")));
    }
}

using System.Diagnostics;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Documents;

namespace ResumableUploads.FunctionalTests.Repository;

public class JavaScriptBlockTests
{
    /// <summary>Gets the documents that contain JavaScript.</summary>
    public static TheoryData<string> Documents =>
        [.. RepositoryFiles.Files("", ".md").Where(static file => new MarkdownDocument(RepositoryFiles.Read(file)).Blocks("js", "javascript").Any())];

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task JavaScript_blocks_parse(string file)
    {
        foreach (CodeBlock block in new MarkdownDocument(RepositoryFiles.Read(file)).Blocks("js", "javascript"))
        {
            string? error = await SyntaxErrorAsync(block.Code);
            Assert.True(error is null, $"{file}({block.Line}): {error}");
        }
    }

    [Theory]
    [InlineData("const file = await fetch('status'); export { file };", false)]
    [InlineData("const = 1;", true)]
    public async Task SyntaxError_of_code_is_found(string code, bool isInvalid)
    {
        string? error = await SyntaxErrorAsync(code);
        Assert.Equal(isInvalid, error?.Contains("SyntaxError", StringComparison.Ordinal) == true);
    }

    /// <summary>Returns the error that node reports for a module, or <see langword="null"/>. Skips the test without node.</summary>
    private static async Task<string?> SyntaxErrorAsync(string code)
    {
        Needs.Require(await Needs.RunAsync("node", "--version") is 0, "node is not installed.");
        string file = Path.Combine(Path.GetTempPath(), $"block-{Guid.NewGuid():n}.mjs");
        await File.WriteAllTextAsync(file, code);
        try
        {
            using Process node = Process.Start(new ProcessStartInfo("node", ["--check", file]) { RedirectStandardError = true })!;
            string error = await node.StandardError.ReadToEndAsync();
            await node.WaitForExitAsync();
            return node.ExitCode == 0 ? null : error;
        }
        finally
        {
            File.Delete(file);
        }
    }
}

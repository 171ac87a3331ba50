using System.Diagnostics;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Repository;

/// <summary>Runs cspell with <c>cspell.json</c> and the words of <c>cspell-words.txt</c>.</summary>
public class SpellingTests
{
    // Split, so that the check of this file does not find it.
    private const string Misspelled = "of" + "set";

    private static readonly NpmPackages Packages = new("tests/spelling");

    [Fact]
    public async Task Files_of_repository_have_no_spelling_errors()
    {
        (int exitCode, string output) = await CheckAsync("--no-must-find-files");
        Assert.True(exitCode == 0, $"Correct these words, or add them to cspell-words.txt:\n{output}");
    }

    [Theory]
    [InlineData("Returns the offset.", 0)]
    [InlineData($"Returns the {Misspelled}.", 1)]
    public async Task Check_of_text_finds_errors(string text, int expected)
    {
        (int exitCode, string output) = await CheckAsync("stdin://planted.md", text);
        Assert.Equal((expected, expected == 1), (exitCode, output.Contains(Misspelled, StringComparison.Ordinal)));
    }

    private static async Task<(int ExitCode, string Output)> CheckAsync(string argument, string input = "")
    {
        await Packages.RequireAsync();
        string program = Path.Combine(Packages.Directory, "node_modules", "cspell", "bin.mjs");
        using Process cspell = Process.Start(new ProcessStartInfo("node", [program, "lint", "--no-progress", "--no-summary", "--no-color", argument])
        {
            WorkingDirectory = RepositoryFiles.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await cspell.StandardInput.WriteAsync(input);
        cspell.StandardInput.Close();
        Task<string> errors = cspell.StandardError.ReadToEndAsync();
        string output = await cspell.StandardOutput.ReadToEndAsync() + await errors;
        await cspell.WaitForExitAsync();
        return (cspell.ExitCode, output);
    }
}

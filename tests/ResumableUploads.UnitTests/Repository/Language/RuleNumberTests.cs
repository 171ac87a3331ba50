using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository.Language;

public partial class RuleNumberTests
{
    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    [InlineData("samples")]
    [InlineData("docs")]
    public void Text_contains_no_private_rule_number(string folder)
    {
        Findings.AssertNone("Name the section of the specification or the reason instead", RepositoryFiles.Files(folder, ".cs", ".md", ".js", ".mjs", ".html", ".cshtml").Where(static file => !file.EndsWith("RuleNumberTests.cs", StringComparison.Ordinal))
            .SelectMany(static file => Find(TextExtractor.Extract(file)).Select(found => $"{file}{found}")));
    }

    [Theory]
    [InlineData("// As F-4 says.\nclass A;")]
    [InlineData("// As T27 says.\nclass A;")]
    [InlineData("[Trait(\"Rule\", \"R-91\")]\nclass A;")]
    [InlineData("class R91_repeats_the_response;")]
    public void Find_planted_rule_number_is_found(string code)
    {
        Assert.Single(Find(TextExtractor.FromCSharp(CSharpSyntaxTree.ParseText(code).GetRoot())));
    }

    [Theory]
    [InlineData("class Pair<T1, T2>;")]
    [InlineData("// RFC 9110, section 8.6. RFC-9110.\nclass A { string B = \"F0\"; }")]
    public void Find_other_text_is_ignored(string code)
    {
        Assert.Empty(Find(TextExtractor.FromCSharp(CSharpSyntaxTree.ParseText(code).GetRoot())));
    }

    // Strings hold test data and formats such as "F2", so that only the form with a hyphen counts there.
    private static IEnumerable<string> Find(IEnumerable<(int Line, TextKind Kind, string Text)> texts) => texts
        .Where(static text => text.Kind is TextKind.Comment or TextKind.Name or TextKind.LocalName ? Number().IsMatch(text.Text) : HyphenatedNumber().IsMatch(text.Text))
        .Select(static text => $"({text.Line}): {text.Text}");

    [GeneratedRegex(@"(?<![\w-])[FTR]-?\d{1,3}\b")]
    private static partial Regex Number();

    [GeneratedRegex(@"(?<![\w-])[FTR]-\d{1,3}\b")]
    private static partial Regex HyphenatedNumber();
}

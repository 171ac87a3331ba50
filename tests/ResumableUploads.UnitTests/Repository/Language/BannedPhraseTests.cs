using Microsoft.CodeAnalysis.CSharp;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository.Language;

public class BannedPhraseTests
{
    /// <summary>The folder that contains the phrases as data.</summary>
    private const string Self = "tests/ResumableUploads.UnitTests/Repository/Language/";

    private const int ExcerptMargin = 60;

    /// <summary>Gets the folders that are checked one by one, so that a failure names few files.</summary>
    public static TheoryData<string> Areas => [.. Files().Select(AreaOf).Distinct()];

    public static TheoryData<string> Phrases => [.. BannedPhrase.All.Select(static phrase => phrase.Pattern)];

    [Theory]
    [MemberData(nameof(Areas))]
    public void Text_contains_no_banned_phrase(string area)
    {
        TextKind kinds = area.StartsWith("tests/", StringComparison.Ordinal)
            ? TextKind.Comment | TextKind.Name | TextKind.Prose
            : TextKind.Comment | TextKind.Name | TextKind.LocalName | TextKind.Prose | TextKind.Literal;
        Findings.AssertNone(
            $"Banned phrases in {area}", Files().Where(file => AreaOf(file) == area).SelectMany(file => Find(file, TextExtractor.Extract(file), kinds)));
    }

    [Theory]
    [MemberData(nameof(Phrases))]
    public void Find_example_of_phrase_is_found(string pattern)
    {
        BannedPhrase phrase = BannedPhrase.All.Single(one => one.Pattern == pattern);
        Assert.True(phrase.Find(phrase.Example).Success);
        Assert.NotEmpty(Find("a.md", TextExtractor.FromMarkdown($"# Title\n\n{phrase.Example}\n"), TextKind.Prose));
    }

    [Theory]
    [InlineData("/// <summary>Waits until the lock is free. It is asked\n/// to leave.</summary>\nclass A;", TextKind.Comment)]
    [InlineData("class A\n{\n    // Continues as\n    // ever.\n    int B;\n}", TextKind.Comment)]
    [InlineData("class A\n{\n    int B; /* as ever */\n}", TextKind.Comment)]
    [InlineData("class A\n{\n    string B = \"Changed by somebody else.\";\n}", TextKind.Literal)]
    [InlineData("class A\n{\n    string B => $\"{1} is changed by somebody else.\";\n}", TextKind.Literal)]
    [InlineData("[LoggerMessage(1, LogLevel.Warning, \"Upload {Key} stays away.\")]\nclass A;", TextKind.Literal)]
    [InlineData("class Newcomer;", TextKind.Name)]
    [InlineData("class A\n{\n    void What_is_there_is_read() { }\n}", TextKind.Name)]
    [InlineData("class A\n{\n    void B(int roomLeft) { }\n}", TextKind.LocalName)]
    public void Find_planted_phrase_in_source_is_found(string code, TextKind kind)
    {
        Assert.Single(Find("A.cs", TextExtractor.FromCSharp(CSharpSyntaxTree.ParseText(code).GetRoot()), kind));
    }

    [Theory]
    [InlineData("Turn it off for clients that send chunks, which in turn ends the append. Besides, everything is hereditary.")]
    [InlineData("That handler returns the offset as everyone expects, for good reasons.")]
    public void Find_plain_English_is_ignored(string text)
    {
        Assert.Empty(Find("a.md", TextExtractor.FromMarkdown(text), TextKind.Prose));
    }

    private static IEnumerable<string> Files() => RepositoryFiles.Files("", ".cs", ".md", ".js", ".mjs", ".html", ".cshtml")
        .Where(static file => !file.StartsWith(Self, StringComparison.Ordinal));

    private static string AreaOf(string file) => file.Split('/') switch
    {
        ["src", var project, var folder, _, ..] => $"src/{project}/{folder}",
        ["src" or "tests" or "samples", var project, ..] => $"{file.Split('/')[0]}/{project}",
        _ => "documents",
    };

    private static IEnumerable<string> Find(string file, IEnumerable<(int Line, TextKind Kind, string Text)> texts, TextKind kinds)
    {
        foreach ((int line, TextKind kind, string text) in texts)
        {
            if ((kinds & kind) != 0 && BannedPhrase.FindAny(text) is { } found)
            {
                int start = Math.Max(0, found.Match.Index - ExcerptMargin);
                int end = Math.Min(text.Length, found.Match.Index + found.Match.Length + ExcerptMargin);
                yield return $"{file}({line}): \"{found.Match.Value}\" in \"{text[start..end]}\". Instead: {found.Phrase.Instead}.";
            }
        }
    }
}

using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Documents;

namespace ResumableUploads.UnitTests.Repository.Language;

/// <summary>Extracts the text that people read from source files and documents.</summary>
internal static partial class TextExtractor
{
    public static IEnumerable<(int Line, TextKind Kind, string Text)> Extract(string path) => Path.GetExtension(path) switch
    {
        ".cs" => FromCSharp(SourceFile.Parse(path)),
        ".md" => FromMarkdown(RepositoryFiles.Read(path)),
        _ => RepositoryFiles.Read(path).Split('\n').Select(static (line, index) => (index + 1, TextKind.Prose, line)),
    };

    public static IEnumerable<(int Line, TextKind Kind, string Text)> FromCSharp(SyntaxNode root) =>
        Comments(root).Concat(Strings(root)).Concat(Names(root));

    /// <summary>Joins the lines of each paragraph, because a phrase can continue on the next line. The rows of a table are separate.</summary>
    public static IEnumerable<(int Line, TextKind Kind, string Text)> FromMarkdown(string markdown)
    {
        (int Line, string Text) paragraph = (0, "");
        foreach ((int line, string text) in new MarkdownDocument(markdown).Prose.Append((0, "")))
        {
            bool continues = paragraph.Text.Length > 0 && text.Trim().Length > 0 && !text.StartsWith('|');
            if (!continues && paragraph.Text.Length > 0)
            {
                yield return (paragraph.Line, TextKind.Prose, paragraph.Text);
            }

            paragraph = continues ? (paragraph.Line, $"{paragraph.Text} {text.Trim()}") : (line, text.Trim());
        }
    }

    private static IEnumerable<(int Line, TextKind Kind, string Text)> Comments(SyntaxNode root)
    {
        (int Line, string Text) comment = (0, "");
        foreach (SyntaxTrivia trivia in root.DescendantTrivia())
        {
            bool isBlank = trivia.IsKind(SyntaxKind.WhitespaceTrivia) || trivia.IsKind(SyntaxKind.EndOfLineTrivia);
            bool isLine = trivia.IsKind(SyntaxKind.SingleLineCommentTrivia);
            bool isOther = trivia.IsKind(SyntaxKind.SingleLineDocumentationCommentTrivia) || trivia.IsKind(SyntaxKind.MultiLineCommentTrivia);
            int line = SourceFile.LineOf(root.SyntaxTree, trivia.SpanStart);
            int next = comment.Line + comment.Text.Count(static c => c == '\n') + 1;
            if (isLine && comment.Text.Length > 0 && line == next)
            {
                comment.Text += "\n" + Clean(trivia.ToString());
                continue;
            }

            if (comment.Text.Length > 0 && !isBlank)
            {
                yield return (comment.Line, TextKind.Comment, OneLine(comment.Text));
                comment = (0, "");
            }

            if (isLine)
            {
                comment = (line, Clean(trivia.ToString()));
            }
            else if (isOther)
            {
                yield return (line, TextKind.Comment, OneLine(Clean(trivia.ToFullString())));
            }
        }

        if (comment.Text.Length > 0)
        {
            yield return (comment.Line, TextKind.Comment, OneLine(comment.Text));
        }
    }

    private static IEnumerable<(int Line, TextKind Kind, string Text)> Strings(SyntaxNode root) => root.DescendantTokens()
        .Where(static token => token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.InterpolatedStringTextToken or SyntaxKind.Utf8StringLiteralToken
            or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken)
        .Select(token => (SourceFile.LineOf(root.SyntaxTree, token.SpanStart), TextKind.Literal, OneLine(token.ValueText)));

    private static IEnumerable<(int Line, TextKind Kind, string Text)> Names(SyntaxNode root) => root.DescendantNodes()
        .Select(static (TextKind Kind, SyntaxToken Name) (SyntaxNode node) => node switch
        {
            BaseTypeDeclarationSyntax type => (TextKind.Name, type.Identifier),
            MethodDeclarationSyntax method => (TextKind.Name, method.Identifier),
            PropertyDeclarationSyntax property => (TextKind.Name, property.Identifier),
            EnumMemberDeclarationSyntax member => (TextKind.Name, member.Identifier),
            VariableDeclaratorSyntax { Parent.Parent: BaseFieldDeclarationSyntax } field => (TextKind.Name, field.Identifier),
            LocalFunctionStatementSyntax function => (TextKind.LocalName, function.Identifier),
            VariableDeclaratorSyntax variable => (TextKind.LocalName, variable.Identifier),
            SingleVariableDesignationSyntax variable => (TextKind.LocalName, variable.Identifier),
            ParameterSyntax parameter => (TextKind.LocalName, parameter.Identifier),
            ForEachStatementSyntax loop => (TextKind.LocalName, loop.Identifier),
            _ => default,
        })
        .Where(static name => name.Kind != TextKind.None)
        .Select(name => (SourceFile.LineOf(root.SyntaxTree, name.Name.SpanStart), name.Kind, WordBoundary().Replace(name.Name.ValueText, " ").Trim()));

    private static string Clean(string comment) => Tag().Replace(CommentStart().Replace(comment, ""), " ");

    private static string OneLine(string text) => Space().Replace(text, " ").Trim();

    [GeneratedRegex(@"^\s*(///?|/\*+|\*+/?)", RegexOptions.Multiline)]
    private static partial Regex CommentStart();

    [GeneratedRegex("</?[a-zA-Z][^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])|_+")]
    private static partial Regex WordBoundary();
}

using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository;

/// <summary>The C# files of the repository, parsed once.</summary>
internal static class SourceFile
{
    private static readonly ConcurrentDictionary<string, SyntaxNode> Roots = new(StringComparer.Ordinal);

    public static SyntaxNode Parse(string path) => Roots.GetOrAdd(path, static path => CSharpSyntaxTree.ParseText(
        RepositoryFiles.Read(path), CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest)).GetRoot());

    /// <summary>Returns the line of a node or token, counted from 1.</summary>
    public static int LineOf(SyntaxTree tree, int position) => tree.GetText().Lines.GetLineFromPosition(position).LineNumber + 1;
}

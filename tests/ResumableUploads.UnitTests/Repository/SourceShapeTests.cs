using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository;

public class SourceShapeTests
{
    private const int MaxLines = 400;
    private const int MaxFilesPerFolder = 15;
    private const int MaxConstructorParameters = 7;
    private const int MaxTestNameLength = 80;

    [Fact]
    public void Source_files_have_at_most_400_lines()
    {
        string[] files = [.. RepositoryFiles.Files("", ".cs", ".ts", ".js", ".mjs")];
        Assert.Contains("src/ResumableUploads/Engine/UploadEngine.cs", files);
        Findings.AssertNone("Files that are too long", files
            .Where(static file => File.ReadLines(Path.Combine(RepositoryFiles.Root, file)).Count() > MaxLines));
    }

    [Fact]
    public void Folders_have_at_most_15_source_files()
    {
        Findings.AssertNone("Folders with too many files", RepositoryFiles.Files("", ".cs")
            .CountBy(static file => Path.GetDirectoryName(file)!)
            .Where(static folder => folder.Value > MaxFilesPerFolder)
            .Select(static folder => $"{folder.Key} ({folder.Value})"));
    }

    [Fact]
    public void Constructors_have_at_most_7_parameters()
    {
        Findings.AssertNone("Constructors with too many parameters", RepositoryFiles.Files("src", ".cs")
            .SelectMany(static file => LongConstructors(SourceFile.Parse(file)).Select(found => $"{file}: {found}")));
    }

    [Theory]
    [InlineData("class A(int a, int b, int c, int d, int e, int f, int g, int h);")]
    [InlineData("class A { public A(int a, int b, int c, int d, int e, int f, int g, int h) { } }")]
    public void LongConstructors_planted_constructor_is_found(string code)
    {
        Assert.Single(LongConstructors(CSharpSyntaxTree.ParseText(code).GetRoot()));
    }

    [Theory]
    [InlineData("class A(int a, int b, int c, int d, int e, int f, int g);")]
    [InlineData("record A(int a, int b, int c, int d, int e, int f, int g, int h);")]
    public void LongConstructors_short_constructor_or_record_is_ignored(string code)
    {
        Assert.Empty(LongConstructors(CSharpSyntaxTree.ParseText(code).GetRoot()));
    }

    [Fact]
    public void Test_names_have_at_most_80_characters()
    {
        Findings.AssertNone("Test names that are too long", RepositoryFiles.Files("tests", ".cs").SelectMany(static file => SourceFile.Parse(file).DescendantNodes().OfType<MethodDeclarationSyntax>()
            .Where(static method => method.AttributeLists.Count > 0 && method.Identifier.ValueText.Length > MaxTestNameLength)
            .Select(method => $"{file}: {method.Identifier.ValueText}")));
    }

    private static IEnumerable<string> LongConstructors(SyntaxNode root) => root.DescendantNodes()
        .Select(static node => node switch
        {
            ConstructorDeclarationSyntax constructor => constructor.ParameterList,
            ClassDeclarationSyntax type => type.ParameterList,
            StructDeclarationSyntax type => type.ParameterList,
            _ => null,
        })
        .OfType<ParameterListSyntax>()
        .Where(static list => list.Parameters.Count > MaxConstructorParameters)
        .Select(static list => $"{((BaseTypeDeclarationSyntax)list.Ancestors().First(static node => node is BaseTypeDeclarationSyntax)).Identifier} ({list.Parameters.Count})");
}

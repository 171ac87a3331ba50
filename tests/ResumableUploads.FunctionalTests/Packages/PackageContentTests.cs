using System.Collections.Immutable;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Packages;

/// <summary>What the packages contain.</summary>
[Collection<PackedPackages>]
public partial class PackageContentTests(PackedPackages packages)
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    public static TheoryData<string> Ids => [.. PackedPackages.Ids];

    /// <summary>Gets the packages with a public API. The tool has none.</summary>
    public static TheoryData<string> Libraries => [.. PackedPackages.Ids.Where(static id => id != "ResumableUploads.Cli")];

    [Fact]
    public void Every_project_has_a_package_and_its_symbols() => Assert.Equal(
        PackedPackages.Ids.SelectMany(static id => (string[])[$"{id}.{PackedPackages.Version}.nupkg", $"{id}.{PackedPackages.Version}.snupkg"]).Order(StringComparer.Ordinal),
        Directory.GetFiles(packages.Output).Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Ids))]
    public void Package_describes_itself(string id)
    {
        using ZipArchive package = packages.Open(id);
        XElement metadata = XDocument.Parse(Read(package, id + ".nuspec")).Root!.Elements().Single();
        string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;

        Assert.Equal(id, Value("id"));
        Assert.Equal(PackedPackages.Version, Value("version"));
        Assert.NotEqual(id, Value("title"));
        Assert.NotNull(Value("description"));
        Assert.NotNull(Value("tags"));
        Assert.Equal("MIT", Value("license"));
        Assert.Equal("icon.png", Value("icon"));
        Assert.Equal("README.md", Value("readme"));
        Assert.Equal(PackedPackages.Repository, Value("projectUrl"));
        Assert.Equal($"{PackedPackages.Repository}/blob/{packages.Commit}/CHANGELOG.md", Value("releaseNotes"));
        XElement repository = metadata.Elements().Single(static element => element.Name.LocalName == "repository");
        Assert.Equal((PackedPackages.Repository, packages.Commit), ((string?)repository.Attribute("url"), (string?)repository.Attribute("commit")));
        Assert.All(
            metadata.Descendants().Where(static element => element.Name.LocalName == "dependency" && ((string)element.Attribute("id")!).StartsWith("ResumableUploads", StringComparison.Ordinal)),
            static dependency => Assert.Equal(PackedPackages.Version, (string?)dependency.Attribute("version")));
        Assert.NotNull(package.GetEntry("icon.png"));
    }

    [Fact]
    public void Main_package_has_no_dependencies()
    {
        using ZipArchive package = packages.Open("ResumableUploads");
        Assert.DoesNotContain("<dependency ", Read(package, "ResumableUploads.nuspec"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Links_of_the_readme_lead_to_files_of_the_repository(string id)
    {
        using ZipArchive package = packages.Open(id);
        string[] links = [.. Link().Matches(Read(package, "README.md")).Select(static match => match.Groups["target"].Value).Where(static link => link[0] != '#')];
        Assert.NotEmpty(links);
        Assert.All(links, static link => Assert.StartsWith("https://", link, StringComparison.Ordinal));
        Assert.All(
            links.Where(static link => link.StartsWith(PackedPackages.Repository, StringComparison.Ordinal)),
            link =>
            {
                Match match = Regex.Match(link, $"^{PackedPackages.Repository}/(blob|raw)/{packages.Commit}/(?<path>[^#]+)");
                Assert.True(match.Success && File.Exists(Path.Combine(RepositoryFiles.Root, match.Groups["path"].Value)), link);
            });
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Documentation_has_all_public_types_and_nothing_else(string id)
    {
        using ZipArchive package = packages.Open(id);
        CSharpCompilation compilation = CSharpCompilation.Create("reader", references: [
            .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => Path.GetFileNameWithoutExtension(path) != id).Select(static path => MetadataReference.CreateFromFile(path)),
            MetadataReference.CreateFromImage(ReadBytes(package, $"lib/net10.0/{id}.dll"))]);
        var assembly = (IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(compilation.References.Last())!;
        string[] names = [.. XDocument.Parse(Read(package, $"lib/net10.0/{id}.xml")).Descendants("member").Select(static member => (string)member.Attribute("name")!)];

        Assert.All(names, name => Assert.Contains(
            DocumentationCommentId.GetSymbolsForDeclarationId(name, compilation), symbol => SymbolEqualityComparer.Default.Equals(symbol.ContainingAssembly, assembly) && IsPublic(symbol)));
        Assert.Empty(Types(assembly.GlobalNamespace).Where(IsPublic).Select(static type => type.GetDocumentationCommentId()!).Except(names));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Symbols_lead_to_the_sources_of_the_commit(string id)
    {
        using ZipArchive package = packages.Open(id);
        using ZipArchive symbols = packages.Open(id, "snupkg");
        ZipArchiveEntry symbolFile = Assert.Single(symbols.Entries, entry => entry.Name == id + ".pdb");
        using var provider = MetadataReaderProvider.FromPortablePdbImage(ReadBytes(symbols, symbolFile.FullName).ToImmutableArray());
        MetadataReader reader = provider.GetMetadataReader();

        string map = Encoding.UTF8.GetString(reader.GetBlobBytes(reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).Single(information => reader.GetGuid(information.Kind) == SourceLink).Value));
        Assert.Contains($"https://raw.githubusercontent.com/example/resumable-uploads/{packages.Commit}/*", map, StringComparison.Ordinal);
        Assert.All(reader.Documents.Select(reader.GetDocument), document => Assert.StartsWith("/_", reader.GetString(document.Name), StringComparison.Ordinal));

        using var image = new PEReader(ReadBytes(package, Path.ChangeExtension(symbolFile.FullName, ".dll")).ToImmutableArray());
        Assert.Contains(image.ReadDebugDirectory(), static entry => entry.Type == DebugDirectoryEntryType.Reproducible);
    }

    [Fact]
    public void Main_package_serves_the_scripts_below_content_path()
    {
        using ZipArchive package = packages.Open("ResumableUploads");
        string[] scripts = [.. Directory.GetFiles(Path.Combine(RepositoryFiles.Root, "src/ResumableUploads/wwwroot")).Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        Assert.Equal(
            scripts.Select(static name => $"staticwebassets/{name}"),
            package.Entries.Select(static entry => entry.FullName).Where(static name => name.EndsWith(".js", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Contains("_content/ResumableUploads", Read(package, "build/Microsoft.AspNetCore.StaticWebAssets.props"), StringComparison.Ordinal);
    }

    private static byte[] ReadBytes(ZipArchive package, string name)
    {
        using Stream stream = package.GetEntry(name)!.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static string Read(ZipArchive package, string name)
    {
        using var reader = new StreamReader(package.GetEntry(name)!.Open());
        return reader.ReadToEnd();
    }

    private static bool IsPublic(ISymbol symbol) =>
        symbol.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal && (symbol.ContainingType is null || IsPublic(symbol.ContainingType));

    private static IEnumerable<INamedTypeSymbol> Types(INamespaceOrTypeSymbol container) =>
        container.GetMembers().OfType<INamespaceOrTypeSymbol>().SelectMany(static member => member is INamedTypeSymbol type ? Types(type).Prepend(type) : Types(member));

    [GeneratedRegex(@"\]\((?<target>[^)]+)\)")]
    private static partial Regex Link();
}

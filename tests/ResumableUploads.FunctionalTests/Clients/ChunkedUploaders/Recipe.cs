using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Documents;

namespace ResumableUploads.FunctionalTests.Clients.ChunkedUploaders;

/// <summary>A script of <c>docs/clients/chunked-uploaders.md</c>.</summary>
internal static class Recipe
{
    /// <summary>The chunk size of the tests, the smallest one of UpChunk.</summary>
    public const int ChunkSize = 256 * 1024;

    private const string Page = "docs/clients/chunked-uploaders.md";
    private const string Marker = "<!-- recipe: ";
    private static readonly NpmPackages Packages = new("tests/chunked-uploaders");

    /// <summary>Gets the chunk sizes of the recipes, in bytes and in KiB, and those of the tests.</summary>
    private static readonly (string Documented, int Tested)[] ChunkSizes = [("5 * 1024 * 1024", ChunkSize), ("5 * 1024", ChunkSize / 1024)];

    /// <summary>Gets the libraries of the page.</summary>
    public static TheoryData<string> Libraries => [.. Blocks().Select(static block => block.Library)];

    /// <summary>Returns the script of a library without imports and empty lines.</summary>
    public static IReadOnlyList<string> Lines(string library) =>
        [.. Code(library).Split('\n').Where(static line => line.Length > 0 && !line.StartsWith("import ", StringComparison.Ordinal))];

    /// <summary>
    /// Returns the script of a library as a page loads it: with its npm packages, the code that connects it with the page of the test, and chunks of
    /// <see cref="ChunkSize"/>. Skips the test if the packages cannot be installed.
    /// </summary>
    public static async Task<string> BundleAsync(string library)
    {
        await Packages.RequireAsync();
        string code = Code(library);
        foreach ((string documented, int tested) in ChunkSizes)
        {
            code = code.Replace(documented, tested.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }

        string[] harness = [Harness("page"), Harness(library)];
        using Process esbuild = Process.Start(
            new ProcessStartInfo(Path.Combine(Packages.Directory, "node_modules", ".bin", "esbuild"), ["--bundle", "--format=esm", "--log-level=warning"])
            {
                WorkingDirectory = Packages.Directory,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> errors = esbuild.StandardError.ReadToEndAsync();
        await esbuild.StandardInput.WriteAsync(string.Join('\n', [code, .. harness]));
        esbuild.StandardInput.Close();
        string bundle = await esbuild.StandardOutput.ReadToEndAsync();
        Assert.True((await errors).Length == 0, await errors);
        return bundle;
    }

    private static string Harness(string name) => RepositoryFiles.Read($"tests/chunked-uploaders/harness/{name}.mjs");

    private static string Code(string library) => Blocks().Single(block => block.Library == library).Code;

    /// <summary>Returns the scripts that have a marker above them.</summary>
    private static IEnumerable<(string Library, string Code)> Blocks()
    {
        var document = new MarkdownDocument(RepositoryFiles.Read(Page));
        return document.Prose
            .Where(static line => line.Text.StartsWith(Marker, StringComparison.Ordinal))
            .Select(line => (line.Text[Marker.Length..].Replace(" -->", "", StringComparison.Ordinal), document.Blocks("js").Single(block => block.Line == line.Line + 2).Code));
    }
}

using System.IO.Compression;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Packages;

/// <summary>The packages as a release contains them: packed from a git clone with a remote, at a tag. No other tests run meanwhile.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class PackedPackages : IAsyncLifetime, ICollectionFixture<PackedPackages>
{
    /// <summary>A version above every published one, so that it is the newest of all sources.</summary>
    public const string Version = "99.0.0";
    public const string Repository = "https://github.com/example/resumable-uploads";

    private static readonly string[] RootFiles = ["README.md", "CHANGELOG.md", "LICENSE", "global.json", "BannedSymbols.txt", ".editorconfig", ".gitignore"];
    private readonly string _root = Directory.CreateTempSubdirectory("packages-").FullName;

    /// <summary>Gets the projects with packages.</summary>
    public static string[] Ids { get; } = [.. RepositoryFiles.Files("src", ".csproj").Select(static file => Path.GetFileNameWithoutExtension(file))];

    /// <summary>Gets the directory with the packages.</summary>
    public string Output => Path.Combine(_root, "packages");

    public string Commit { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Needs.Require(await Needs.RunAsync("git", "--version") is 0, "git is not installed.");
        string clone = Path.Combine(_root, "clone");
        foreach (string file in RepositoryFiles.Files().Where(static file => file.StartsWith("src/", StringComparison.Ordinal) || file.EndsWith(".props", StringComparison.Ordinal) || RootFiles.Contains(file)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(clone, file))!);
            File.Copy(Path.Combine(RepositoryFiles.Root, file), Path.Combine(clone, file));
        }

        await File.WriteAllTextAsync(Path.Combine(clone, "All.slnx"), $"<Solution>{string.Concat(Ids.Select(static id => $"<Project Path=\"src/{id}/{id}.csproj\" />"))}</Solution>");
        await Sdk.RunAsync(clone, "git", "init", "-q", "-b", "main");
        await Sdk.RunAsync(clone, "git", "add", "-A");
        await Sdk.RunAsync(clone, "git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "Release");
        await Sdk.RunAsync(clone, "git", "tag", "v" + Version);
        await Sdk.RunAsync(clone, "git", "remote", "add", "origin", Repository + ".git");
        Commit = (await File.ReadAllTextAsync(Path.Combine(clone, ".git/refs/heads/main"))).Trim();
        await Sdk.RunAsync(clone, "dotnet", "pack", "All.slnx", "-c", "Release", "-o", Output, "-v", "q", "-warnaserror", "-warnnotaserror:NU1900");
    }

    /// <summary>Opens a package.</summary>
    /// <param name="id">The id of the package.</param>
    /// <param name="extension">The kind of the package: <c>nupkg</c>, or <c>snupkg</c> with its symbols.</param>
    public ZipArchive Open(string id, string extension = "nupkg") => ZipFile.OpenRead(Path.Combine(Output, $"{id}.{Version}.{extension}"));

    public async ValueTask DisposeAsync() => await TemporaryDirectory.DeleteAsync(_root);
}

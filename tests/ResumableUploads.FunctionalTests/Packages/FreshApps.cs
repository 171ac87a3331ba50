using ResumableUploads.Testing;
using ResumableUploads.Testing.Documents;

namespace ResumableUploads.FunctionalTests.Packages;

/// <summary>Apps from the templates of the SDK that install the package as its README says, and the lines of the README in them.</summary>
/// <param name="packages">The packages to install.</param>
public sealed class FreshApps(PackedPackages packages) : IAsyncLifetime
{
    private const string Middleware = "app.UseResumableUploads(";
    private const string Run = "app.Run();";

    private readonly string _root = Directory.CreateTempSubdirectory("apps-").FullName;

    public static string[] Templates { get; } = ["web", "webapi", "mvc", "razor", "blazor"];

    /// <summary>Returns the directory of an app.</summary>
    public string DirectoryOf(string template) => Path.Combine(_root, template);

    public async ValueTask InitializeAsync()
    {
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

        await WriteAsync("nuget.config", $"""<configuration><packageSources><add key="packages" value="{packages.Output}" /></packageSources></configuration>""");
        await WriteAsync("Directory.Build.props", $"<Project><PropertyGroup><RestoreFallbackFolders>{(Directory.Exists(cache) ? cache : "")}</RestoreFallbackFolders></PropertyGroup></Project>");
        File.Copy(Path.Combine(RepositoryFiles.Root, "global.json"), Path.Combine(_root, "global.json"));
        await WriteAsync("Apps.slnx", $"<Solution>{string.Concat(Templates.Select(static name => $"<Project Path=\"{name}/{name}.csproj\" />"))}</Solution>");
        foreach (string template in Templates)
        {
            await RunAsync(_root, "new", template, "-o", template, "--no-restore");
            await RunAsync(DirectoryOf(template), "add", "package", "ResumableUploads");
            string program = Path.Combine(DirectoryOf(template), "Program.cs");
            string source = await File.ReadAllTextAsync(program);
            Assert.Contains(Run, source, StringComparison.Ordinal);
            await File.WriteAllTextAsync(program, source.Replace(Run, Lines() + Run, StringComparison.Ordinal));
        }

        await RunAsync(_root, "build", "Apps.slnx", "-v", "q");
    }

    /// <summary>Runs a command of the SDK. The packages under test stay out of the cache of the machine.</summary>
    public Task RunAsync(string directory, params string[] arguments) => Sdk.RunAsync(directory, new DirectoryInfo(Path.Combine(_root, "cache")), "dotnet", arguments);

    public async ValueTask DisposeAsync() => await TemporaryDirectory.DeleteAsync(_root);

    /// <summary>Returns the lines of README.md that add the middleware.</summary>
    private static string Lines()
    {
        string code = new MarkdownDocument(RepositoryFiles.Read("README.md")).Blocks("csharp").Select(static block => block.Code).First(static code => code.Contains(Middleware, StringComparison.Ordinal));
        int start = code.IndexOf(Middleware, StringComparison.Ordinal);
        return code[start..code.IndexOf(Run, start, StringComparison.Ordinal)];
    }

    private Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(_root, name), text);
}

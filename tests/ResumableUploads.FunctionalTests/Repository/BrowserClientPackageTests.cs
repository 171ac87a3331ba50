using System.Diagnostics;
using System.IO.Compression;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Repository;

/// <summary>The npm package of the browser client, and the scripts that the NuGet package serves.</summary>
[Collection<Alone>]
public class BrowserClientPackageTests
{
    private const string Scripts = "src/ResumableUploads/wwwroot";

    private static readonly NpmPackages Packages = new("src/resumable-uploads-js");

    /// <summary>The command that README.md of the client names.</summary>
    private const string Rebuild = "Run npm ci && npm run build in src/resumable-uploads-js, and commit the scripts.";

    [Theory]
    [InlineData("check")]
    [InlineData("test")]
    public async Task Npm_script_succeeds(string script)
    {
        (int exitCode, string output) = await RunAsync("npm", "run", script);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Committed_scripts_are_those_that_the_build_creates()
    {
        string directory = Directory.CreateTempSubdirectory("client-build-").FullName;
        try
        {
            (int exitCode, string output) = await RunAsync("node", "build.mjs", "--out", directory);
            Assert.True(exitCode == 0, output);
            string[] built = Names(directory);
            Assert.Equal(Names(Path.Combine(RepositoryFiles.Root, Scripts)), built);
            Assert.Contains("resumable-uploads.js", built);
            foreach (string name in built)
            {
                Assert.True(RepositoryFiles.Read($"{Scripts}/{name}") == await File.ReadAllTextAsync(Path.Combine(directory, name)), $"{name} is not current. {Rebuild}");
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData("resumable-uploads.js", 6144)]
    [InlineData("resumable-uploads-element.js", 14336)]
    [InlineData("resumable-uploads-sha256.js", 2048)]
    public void Script_is_small_when_compressed(string name, int limit)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, Scripts, name)));
        }

        Assert.InRange(compressed.Length, 1, limit - 1);
    }

    [Fact]
    public void Package_has_no_dependencies_and_lock_file_has_no_addresses()
    {
        using var package = System.Text.Json.JsonDocument.Parse(RepositoryFiles.Read("src/resumable-uploads-js/package.json"));
        Assert.False(package.RootElement.TryGetProperty("dependencies", out _));
        Assert.DoesNotContain("\"resolved\"", RepositoryFiles.Read("src/resumable-uploads-js/package-lock.json"), StringComparison.Ordinal);
    }

    private static string[] Names(string directory) => [.. Directory.GetFiles(directory).Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    private static async Task<(int ExitCode, string Output)> RunAsync(string command, params string[] arguments)
    {
        await Packages.RequireAsync();
        using Process process = Process.Start(new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = Packages.Directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync() + await errors;
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }
}

using System.Diagnostics;
using System.IO.Compression;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Repository;

/// <summary>The browser client as a static web asset of the NuGet package.</summary>
[Collection<Alone>]
public class StaticWebAssetTests
{
    [Fact]
    public async Task Package_serves_the_scripts_below_content_path()
    {
        string directory = Directory.CreateTempSubdirectory("client-pack-").FullName;
        try
        {
            // The build of the tests has built the project.
            string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
            using Process pack = Process.Start(new ProcessStartInfo("dotnet", ["pack", "src/ResumableUploads", "--no-build", "-c", configuration, "-o", directory])
            {
                WorkingDirectory = RepositoryFiles.Root,
                RedirectStandardOutput = true,
            })!;
            string output = await pack.StandardOutput.ReadToEndAsync();
            await pack.WaitForExitAsync();
            Assert.True(pack.ExitCode == 0, output);

            using ZipArchive package = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(directory, "*.nupkg")));
            string[] scripts = [.. Directory.GetFiles(Path.Combine(RepositoryFiles.Root, "src/ResumableUploads/wwwroot")).Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
            Assert.Equal(
                scripts.Select(static name => $"staticwebassets/{name}"),
                package.Entries.Select(static entry => entry.FullName).Where(static name => name.EndsWith(".js", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
            using var assets = new StreamReader(package.GetEntry("build/Microsoft.AspNetCore.StaticWebAssets.props")!.Open());
            Assert.Contains("_content/ResumableUploads", await assets.ReadToEndAsync(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}

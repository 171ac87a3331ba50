using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Options;

public class ConfigurationWatchCheckTests
{
    [Theory]
    [InlineData(true, "uploads", true)]
    [InlineData(true, ".", true)]
    [InlineData(true, "../elsewhere", false)]
    [InlineData(false, "uploads", false)]
    public async Task Watched_upload_directory_logs_one_warning(bool reloadOnChange, string directory, bool isWatched)
    {
        DirectoryInfo root = Directory.CreateTempSubdirectory("watch-test-");
        try
        {
            string content = root.CreateSubdirectory("content").FullName;
            await File.WriteAllTextAsync(Path.Combine(content, "appsettings.json"), "{}");
            WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
            {
                ContentRootPath = content,
                Args = [$"--hostBuilder:reloadConfigOnChange={reloadOnChange}"],
            });
            var log = new LogLines();
            builder.Logging.ClearProviders().AddProvider(log);
            await using WebApplication app = builder.Build();
            app.UseResumableUploads(options => options.Directory = directory);
            app.UseResumableUploads(options => (options.Directory, options.UploadPath, options.StatusPath) = (directory, "/other", null));

            string[] warnings = [.. log.Lines.Where(static line => line.Contains("reloadConfigOnChange", StringComparison.Ordinal))];
            Assert.Equal(isWatched ? 1 : 0, warnings.Length);
            Assert.All(warnings, static line => Assert.Contains("appsettings.json", line, StringComparison.Ordinal));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}

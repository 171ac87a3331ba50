using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Options;

public class SettingsWatchTests
{
    [Theory]
    [InlineData(true, "uploads", true)]
    [InlineData(true, ".", true)]
    [InlineData(true, "../elsewhere", false)]
    [InlineData(false, "uploads", false)]
    public async Task An_upload_directory_that_the_host_watches_is_told_once(bool reloads, string directory, bool isTold)
    {
        DirectoryInfo root = Directory.CreateTempSubdirectory("watch-test-");
        try
        {
            string content = root.CreateSubdirectory("content").FullName;
            await File.WriteAllTextAsync(Path.Combine(content, "appsettings.json"), "{}");
            WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
            {
                ContentRootPath = content,
                Args = [$"--hostBuilder:reloadConfigOnChange={reloads}"],
            });
            var log = new LogLines();
            builder.Logging.ClearProviders().AddProvider(log);
            await using WebApplication app = builder.Build();
            app.UseResumableUploads(options => options.Directory = directory);
            app.UseResumableUploads(options => (options.Directory, options.UploadPath, options.StatusPath) = (directory, "/other", null));

            string[] told = [.. log.Lines.Where(static line => line.Contains("reloadConfigOnChange", StringComparison.Ordinal))];
            Assert.Equal(isTold ? 1 : 0, told.Length);
            Assert.All(told, static line => Assert.Contains("appsettings.json", line, StringComparison.Ordinal));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}

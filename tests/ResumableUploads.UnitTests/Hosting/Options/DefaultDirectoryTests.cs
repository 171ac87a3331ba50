using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Options;

/// <summary>The directory of an app that does not set one, on a host that reloads its configuration (docs/configuration.md#directories).</summary>
public sealed class DefaultDirectoryTests : IDisposable
{
    private readonly DirectoryInfo _parent = System.IO.Directory.CreateTempSubdirectory("default-directory-");
    private readonly LogLines _log = new();

    private string Root => Path.Combine(_parent.FullName, "app");

    public void Dispose() => _parent.Delete(recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Default_directory_is_not_watched_and_its_path_is_logged(bool withServices)
    {
        await StartAsync(withServices);
        Assert.DoesNotContain(_log.Lines, static line => line.Contains("[306]", StringComparison.Ordinal));
        string line = Assert.Single(_log.Lines, static line => line.Contains("[362]", StringComparison.Ordinal));
        Assert.Contains($"{Root}-uploads.", line, StringComparison.Ordinal);
        Assert.True(System.IO.Directory.Exists(Path.Combine(Root + "-uploads", "uploads")));
    }

    [Fact]
    public async Task Directory_of_earlier_version_is_still_used()
    {
        System.IO.Directory.CreateDirectory(Path.Combine(Root, "uploads", "uploads"));
        await StartAsync(withServices: false);
        Assert.False(System.IO.Directory.Exists(Root + "-uploads"));
        Assert.True(System.IO.Directory.Exists(Path.Combine(Root, "uploads", "temp")));
    }

    /// <summary>A file has the name of the directory, so that it cannot be created.</summary>
    [Fact]
    public async Task Directory_below_content_root_is_used_if_the_default_cannot_be_created()
    {
        System.IO.Directory.CreateDirectory(Root);
        await File.WriteAllTextAsync(Root + "-uploads", "");
        await StartAsync(withServices: false);
        Assert.True(System.IO.Directory.Exists(Path.Combine(Root, "uploads", "uploads")));
    }

    [Theory]
    [InlineData(false, "options.Directory")]
    [InlineData(true, "ResumableUploads:Directory")]
    public async Task Warning_names_an_option_that_is_read(bool withServices, string option)
    {
        await StartAsync(withServices, static options => options.Directory = "watched");
        string line = Assert.Single(_log.Lines, static line => line.Contains("[306]", StringComparison.Ordinal));
        Assert.Contains($"set {option} to a directory outside the content root", line, StringComparison.Ordinal);
    }

    private async Task StartAsync(bool withServices, Action<ResumableUploadOptions>? configure = null)
    {
        System.IO.Directory.CreateDirectory(Root);
        await File.WriteAllTextAsync(Path.Combine(Root, "appsettings.json"), "{}");
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Root, Args = ["--urls=http://127.0.0.1:0"] });
        builder.Logging.ClearProviders().AddProvider(_log);
        if (withServices)
        {
            builder.Services.AddResumableUploads();
        }

        await using WebApplication app = builder.Build();
        app.UseResumableUploads(configure ?? (static _ => { }));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.StopAsync(TestContext.Current.CancellationToken);
    }
}

using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Options;

public class OptionsBindingTests
{
    /// <summary>Every option that configuration can set, with a text that is not its default, and the value that results from it.</summary>
    public static TheoryData<string, string, string> Texts()
    {
        var rows = new TheoryData<string, string, string>();
        var defaults = new ResumableUploadOptions();
        foreach ((string key, PropertyInfo option) in OptionProperties.All())
        {
            (string text, object value)? row = OptionProperties.Get(defaults, key) switch
            {
                _ when typeof(Delegate).IsAssignableFrom(option.PropertyType) || option.Name is "Store" or "StoredHeaders" or "VolatileQueryParameters" => null,
                string path => (path + "-other", path + "-other"),
                bool yes => ((!yes).ToString(CultureInfo.InvariantCulture), !yes),
                int => ("17", 17),
                long => ("123456", 123456L),
                null when option.PropertyType == typeof(long?) => ("123456", 123456L),
                TimeSpan => ("1.02:03:04.5", new TimeSpan(1, 2, 3, 4, 500)),
                Enum => (Enum.GetNames(option.PropertyType)[1].ToLowerInvariant(), Enum.GetValues(option.PropertyType).GetValue(1)!),
                object other => throw new NotSupportedException($"{key} is a {other.GetType()}: add a case to this test."),
                null => throw new NotSupportedException($"{key} has no default: add a case to this test."),
            };
            if (row is { } known)
            {
                rows.Add(key, known.text, known.value.ToString()!);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Option_is_bound_from_configuration(string option, string text, string expected)
    {
        Assert.Equal(expected, Read(Configured(option, text), option));
        Assert.NotEqual(expected, OptionProperties.Get(new ResumableUploadOptions(), option)?.ToString());
    }

    [Fact]
    public void List_is_bound_from_configuration() =>
        Assert.Equal(["X-Trace"], Configured("Handler:StoredHeaders:0", "X-Trace").Services.GetRequiredService<IOptions<ResumableUploadOptions>>().Value.Handler.StoredHeaders);

    [Theory]
    [InlineData("Timeouts:IdleTimeout", "soon")]
    [InlineData("MaxUploadSize", "10 GiB")]
    [InlineData("FileSystem:Durability", "Mostly")]
    [InlineData("AnonymousOwner", "Unknown")]
    [InlineData("FileId:RestartOnZero", "perhaps")]
    public void Invalid_text_throws_and_names_the_key(string option, string text)
    {
        WebApplication app = Configured(option, text);
        InvalidOperationException thrown = Assert.Throws<InvalidOperationException>(() => app.UseResumableUploads());
        Assert.Contains($"ResumableUploads:{option}", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Null_StatusPath_in_JSON_sets_null()
    {
        WebApplicationBuilder builder = Builder();
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes("""{ "ResumableUploads": { "StatusPath": null } }""")));
        builder.Services.AddResumableUploads();
        Assert.Null(Options(builder.Build()).StatusPath);
    }

    [Fact]
    public void Configure_delegates_run_in_order_after_configuration()
    {
        WebApplicationBuilder builder = Builder();
        builder.Configuration["ResumableUploads:MaxUploadSize"] = "1";
        builder.Configuration["ResumableUploads:Limits:MinDataRate"] = "7";
        builder.Services.AddResumableUploads(o => o.MaxUploadSize += 10);
        builder.Services.AddResumableUploads(o => o.MaxUploadSize *= 2);
        builder.Services.AddResumableUploads();

        ResumableUploadOptions options = Options(builder.Build());
        Assert.Equal(22, options.MaxUploadSize);
        Assert.Equal(7, options.Limits.MinDataRate);
    }

    [Fact]
    public async Task Middleware_uses_paths_and_limits_from_configuration()
    {
        await using TestApp app = await TestApp.StartAsync(
            services: builder =>
            {
                builder.Configuration["ResumableUploads:UploadPath"] = "/files/in";
                builder.Configuration["ResumableUploads:StatusPath"] = "/files/status";
                builder.Configuration["ResumableUploads:MaxUploadSize"] = "100";
                builder.Configuration["ResumableUploads:FileSystem:Durability"] = "ProcessCrash";
                builder.Configuration["ResumableUploads:Directory"] = "configured";
                builder.Services.AddResumableUploads();
            },
            before: static app => app.UseResumableUploads(),
            useUploads: false,
            onTestHost: true);

        using HttpResponseMessage fits = await app.Client.AppendAsync("f", 0, new ByteArrayContent(new byte[60]), 100, "/files/in");
        using HttpResponseMessage tooLarge = await app.Client.AppendAsync("g", 0, new ByteArrayContent(new byte[101]), 101, "/files/in");
        using HttpResponseMessage defaultPath = await app.Client.AppendAsync("f", 0, new byte[1]);

        Assert.Equal((200, 413, 404), ((int)fits.StatusCode, (int)tooLarge.StatusCode, (int)defaultPath.StatusCode));
        Assert.Equal(60, await app.Client.StatusAsync("f", "/files/status"));
        Assert.True(Directory.Exists(Path.Combine(app.Directory, "configured", "uploads")));
    }

    internal static WebApplicationBuilder Builder()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        return builder;
    }

    private static WebApplication Configured(string option, string text)
    {
        WebApplicationBuilder builder = Builder();
        builder.Configuration[$"ResumableUploads:{option}"] = text;
        builder.Services.AddResumableUploads();
        return builder.Build();
    }

    private static ResumableUploadOptions Options(WebApplication app) => app.Services.GetRequiredService<IOptions<ResumableUploadOptions>>().Value;

    private static string? Read(WebApplication app, string option) =>
        OptionProperties.Get(Options(app), option)?.ToString();
}

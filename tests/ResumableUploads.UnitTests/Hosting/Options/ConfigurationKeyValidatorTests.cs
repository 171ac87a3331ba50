using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Hosting.Options.Validation;
using ResumableUploads.Hosting.Options;

namespace ResumableUploads.UnitTests.Hosting.Options;

public class ConfigurationKeyValidatorTests
{
    [Theory]
    [InlineData("MaxUplaodSize", "MaxUploadSize")]
    [InlineData("expirations", "Expiration")]
    [InlineData("Limits:MinDataRates", "Limits:MinDataRate")]
    [InlineData("IdleTimeout", "Timeouts:IdleTimeout")]
    [InlineData("Limits:IdleTimeout", "Timeouts:IdleTimeout")]
    [InlineData("FileSystem:Durabilty", "FileSystem:Durability")]
    [InlineData("Endpoints:videos:UploadPaht", "Endpoints:videos:UploadPath")]
    [InlineData("Endpoints:videos:Timeouts:MaxAges", "Endpoints:videos:Timeouts:MaxAge")]
    [InlineData("MaxUploadSize:Bytes", "MaxUploadSize")]
    public async Task Unknown_key_fails_start_and_names_the_nearest_key(string key, string nearest)
    {
        await using WebApplication app = App((key, "1"));
        OptionsValidationException thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync());
        string failure = Assert.Single(thrown.Failures);
        Assert.StartsWith($"ResumableUploads:{key} is not an option", failure, StringComparison.Ordinal);
        Assert.EndsWith($"The nearest known key is ResumableUploads:{nearest}.", failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Limit:MinDataRate", "ResumableUploads:Limit is not an option that configuration can set. The nearest known key is ResumableUploads:Limits.")]
    [InlineData("Store", "ResumableUploads:Store is not an option that configuration can set.")]
    [InlineData("OnCompleted", "ResumableUploads:OnCompleted is not an option that configuration can set.")]
    [InlineData("Limits", "ResumableUploads:Limits has the value '1', but it is a group of options: MaxUploadsPerOwner,")]
    [InlineData("Endpoints:vidoes:MaxUploadSize", "ResumableUploads:Endpoints:vidoes has no options: AddResumableUploads(\"vidoes\") was not called. The nearest registered name is 'videos'.")]
    [InlineData("Endpoints:videos:Endpoints:x:MaxUploadSize", "ResumableUploads:Endpoints:videos:Endpoints is not an option")]
    public async Task Invalid_section_fails_start(string key, string failure)
    {
        await using WebApplication app = App((key, "1"));
        OptionsValidationException thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync());
        Assert.StartsWith(failure, Assert.Single(thrown.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_unknown_keys_are_reported_together()
    {
        await using WebApplication app = App(("MaxSize", "1"), ("Limits:Rate", "1"));
        OptionsValidationException thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync());
        Assert.Equal(2, thrown.Failures.Count());
    }

    [Fact]
    public void UseResumableUploads_with_unknown_key_throws() =>
        Assert.Throws<OptionsValidationException>(() => App(("MaxSize", "1")).UseResumableUploads());

    [Fact]
    public void OptionKeys_contain_every_configurable_option() =>
        Assert.Equal(
            OptionProperties.All()
                .Where(static option => !typeof(Delegate).IsAssignableFrom(option.Property.PropertyType) && option.Key != "Store")
                .Select(static option => option.Key).Order(StringComparer.Ordinal),
            OptionKeys.All.Order(StringComparer.Ordinal));

    [Fact]
    public async Task Known_keys_in_any_case_and_empty_groups_are_accepted()
    {
        WebApplicationBuilder builder = OptionsBindingTests.Builder();
        builder.Configuration.AddJsonStream(new MemoryStream("""
            {
              "ResumableUploads": {
                "maxuploadsize": 7, "statuspath": null, "limits": { "MINDATARATE": 5 }, "Ietf": {}, "Timeouts": null,
                "Handler": { "StoredHeaders": [ "X-Trace", "X-Span" ] },
                "Endpoints": { "VIDEOS": { "MaxUploadSize": 9, "Handler": { "StoredHeaders": [ "X-Video" ] } } }
              }
            }
            """u8.ToArray()));
        builder.Services.AddResumableUploads("videos");
        await using WebApplication app = builder.Build();
        await app.StartAsync();

        IOptionsMonitor<ResumableUploadOptions> options = app.Services.GetRequiredService<IOptionsMonitor<ResumableUploadOptions>>();
        Assert.Equal((7, 5), (options.CurrentValue.MaxUploadSize, options.CurrentValue.Limits.MinDataRate));
        Assert.Equal(["X-Trace", "X-Span"], options.CurrentValue.Handler.StoredHeaders);
        Assert.Equal(9, options.Get("videos").MaxUploadSize);
        Assert.Equal(["X-Video"], options.Get("videos").Handler.StoredHeaders);
    }

    private static WebApplication App(params (string Key, string Value)[] settings)
    {
        WebApplicationBuilder builder = OptionsBindingTests.Builder();
        foreach ((string key, string value) in settings)
        {
            builder.Configuration[$"ResumableUploads:{key}"] = value;
        }

        builder.Services.AddResumableUploads("videos");
        return builder.Build();
    }
}

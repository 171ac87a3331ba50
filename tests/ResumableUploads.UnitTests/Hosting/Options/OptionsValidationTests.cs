using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Abstractions;

namespace ResumableUploads.UnitTests.Hosting.Options;

public class OptionsValidationTests
{
    /// <summary>Every option that has invalid values, with each of them.</summary>
    public static TheoryData<string, string> InvalidValues()
    {
        var rows = new TheoryData<string, string>();
        foreach ((string key, PropertyInfo option) in OptionProperties.All())
        {
            string[] invalid = option switch
            {
                { Name: "UploadPath" } => ["", "upload", "/", "//", "null"],
                { Name: "StatusPath" } => ["", "status", "/", "/upload", "/UPLOAD", "/upload/"],
                { Name: "Directory" } => OperatingSystem.IsWindows() ? ["", " "] : ["", " ", @"C:\uploads", "D:/uploads", @"data\uploads", @"\\server\share"],
                { Name: "IdleTimeout" or "SweepInterval" or "MinDataRatePeriod" } => ["00:00:00", "-00:00:01", "50.00:00:00", "00:00:00.999"],
                { Name: "MinDataRate" } => ["-1"],
                { Name: "MinUploadSize" or "MinAppendSize" } => ["-1", "99999999999999"],
                { Name: "MaxStoredResponseSize" } => ["-1", "524289"],
                { Name: "RetryDelay" } => ["-00:00:01", "50.00:00:00"],
                { Name: "LeaseDuration" } => ["00:00:00", "-00:00:01", "50.00:00:00", "00:00:00.002"],
                { Name: "Expiration" or "MaxAge" or "CompletedRetention" } => ["00:00:00", "-00:00:01"],
                { PropertyType: var type } when type == typeof(TimeSpan) => ["00:00:00", "-00:00:01", "50.00:00:00"],
                { PropertyType: var type } when type == typeof(int) || type == typeof(long) || type == typeof(long?) => ["0", "-1"],
                { PropertyType.IsEnum: true } => ["99"],
                _ => [],
            };
            foreach (string text in invalid)
            {
                rows.Add(key, text);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(InvalidValues))]
    public void UseResumableUploads_with_invalid_value_throws_and_names_the_option(string option, string text)
    {
        WebApplication app = OptionsBindingTests.Builder().Build();

        OptionsValidationException thrown = Assert.Throws<OptionsValidationException>(() => app.UseResumableUploads(options => Set(options, option, text)));
        Assert.Contains($"ResumableUploads:{option} is ", thrown.Message, StringComparison.Ordinal);
        Assert.Single(thrown.Failures);
    }

    [Theory]
    [MemberData(nameof(InvalidValues))]
    public async Task AddResumableUploads_with_invalid_value_fails_start_and_names_the_option(string option, string text)
    {
        WebApplicationBuilder builder = OptionsBindingTests.Builder();
        builder.Services.AddResumableUploads(options => Set(options, option, text));
        await using WebApplication app = builder.Build();

        OptionsValidationException thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync());
        Assert.Contains($"ResumableUploads:{option} is ", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_invalid_values_are_reported_together()
    {
        WebApplication app = OptionsBindingTests.Builder().Build();
        var options = new ResumableUploadOptions { UploadPath = "x", Limits = { MinDataRate = -1 }, Handler = { MaxAttempts = 0 } };

        OptionsValidationException thrown = Assert.Throws<OptionsValidationException>(() => app.UseResumableUploads(options));
        Assert.Equal(3, thrown.Failures.Count());
    }

    [Fact]
    public void MapResumableUploads_with_invalid_value_throws()
    {
        WebApplication app = OptionsBindingTests.Builder().Build();
        Assert.Throws<OptionsValidationException>(() => app.MapResumableUploads("/u", options => options.MaxUploadSize = 0));
    }

    [Fact]
    public void UseResumableUploads_with_Directory_below_a_file_throws()
    {
        string file = Path.GetTempFileName();
        try
        {
            WebApplication app = OptionsBindingTests.Builder().Build();
            InvalidOperationException thrown = Assert.Throws<InvalidOperationException>(() => app.UseResumableUploads(options =>
            {
                options.Directory = Path.Combine(file, "uploads");
                options.FileSystem.Durability = Durability.ProcessCrash;
            }));
            Assert.Contains(file, thrown.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Set(ResumableUploadOptions options, string option, string text)
    {
        (object owner, PropertyInfo property) = OptionProperties.Find(options, option);
        Type type = property.PropertyType;
        property.SetValue(owner, text == "null" ? null
            : type == typeof(TimeSpan) ? TimeSpan.Parse(text)
            : type.IsEnum ? Enum.ToObject(type, int.Parse(text))
            : Convert.ChangeType(text, Nullable.GetUnderlyingType(type) ?? type));
    }
}

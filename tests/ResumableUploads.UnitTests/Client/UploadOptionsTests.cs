using System.Reflection;
using ResumableUploads.Client;
using ResumableUploads.Client.Engine;

namespace ResumableUploads.UnitTests.Client;

public class UploadOptionsTests
{
    public static TheoryData<string, Action<UploadOptions>> Invalid => new()
    {
        { "Protocol", static options => options.Protocol = (UploadProtocol)7 },
        { "Digest", static options => options.Digest = (UploadDigest)7 },
        { "Id", static options => options.Id = "" },
        { "ContentType", static options => options.ContentType = "text\r\nX: y" },
        { "ContentType", static options => options.ContentType = "" },
        { "Length", static options => options.Length = -1 },
        { "ChunkSize", static options => options.ChunkSize = 0 },
        { "Retry.MaxRetries", static options => options.Retry.MaxRetries = -1 },
        { "Retry.InitialDelay", static options => options.Retry.InitialDelay = TimeSpan.FromSeconds(-1) },
        { "Retry.MaxDelay", static options => options.Retry.MaxDelay = TimeSpan.FromSeconds(-1) },
        { "Retry.StallTimeout", static options => options.Retry.StallTimeout = TimeSpan.Zero },
        { "Request.Headers", static options => options.Request.Headers["upload-offset"] = "1" },
        { "Request.Headers", static options => options.Request.Headers["Content-Length"] = "1" },
        { "Request.Metadata", static options => options.Request.Metadata["a b"] = "1" },
        { "Request.Metadata", static options => options.Request.Metadata[""] = "1" },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Invalid_option_is_named(string name, Action<UploadOptions> configure)
    {
        var options = new UploadOptions();
        OptionsValidator.Validate(options);
        configure(options);
        ArgumentException exception = Assert.Throws<ArgumentException>(() => OptionsValidator.Validate(options));
        Assert.Contains($"UploadOptions.{name} ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Relative_URL_without_base_address_is_rejected()
    {
        using var httpClient = new HttpClient();
        using var stream = new MemoryStream();
        await Assert.ThrowsAsync<ArgumentException>(() => new ResumableUploadClient(httpClient).UploadAsync(new Uri("upload", UriKind.Relative), stream, cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Client_refers_only_to_the_framework()
    {
        AssemblyName[] references = typeof(ResumableUploadClient).Assembly.GetReferencedAssemblies();
        Assert.NotEmpty(references);
        Assert.All(references, static reference => Assert.True(reference.Name!.StartsWith("System.", StringComparison.Ordinal) || reference.Name is "Microsoft.Win32.Primitives", reference.Name));
    }
}

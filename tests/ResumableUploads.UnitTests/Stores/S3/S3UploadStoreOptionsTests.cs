using ResumableUploads.Abstractions;
using ResumableUploads.S3;

namespace ResumableUploads.UnitTests.Stores.S3;

public class S3UploadStoreOptionsTests
{
    private static readonly Dictionary<string, Action<S3UploadStoreOptions>> Invalid = new()
    {
        ["Bucket"] = static options => options.Bucket = " ",
        ["KeyPrefix without slash"] = static options => options.KeyPrefix = "uploads",
        ["KeyPrefix with a slash at the start"] = static options => options.KeyPrefix = "/uploads/",
        ["KeyPrefix with dots"] = static options => options.KeyPrefix = "a/../b/",
        ["KeyPrefix with a space"] = static options => options.KeyPrefix = "a b/",
        ["KeyPrefix that is long"] = static options => options.KeyPrefix = new string('a', 200) + "/",
        ["ServiceUrl"] = static options => options.ServiceUrl = "ftp://example.com",
        ["SegmentSize below"] = static options => options.SegmentSize = 65_535,
        ["SegmentSize above"] = static options => options.SegmentSize = (1 << 30) + 1,
        ["MaxBufferedBytes"] = static options => options.MaxBufferedBytes = (1 << 20) - 1,
        ["SyncSize"] = static options => options.SyncSize = 0,
        ["SyncInterval"] = static options => options.SyncInterval = TimeSpan.Zero,
        ["WriterTimeout"] = static options => options.WriterTimeout = TimeSpan.FromMilliseconds(99),
        ["CleanUpInterval"] = static options => options.CleanUpInterval = TimeSpan.FromTicks(-1),
    };

    public static TheoryData<string> InvalidOptions => [.. Invalid.Keys];

    [Theory]
    [MemberData(nameof(InvalidOptions))]
    public void UseS3_with_invalid_option_throws_and_names_it(string name)
    {
        IResumableUploadsBuilder builder = new ServiceCollection().AddResumableUploads();
        ArgumentException failure = Assert.Throws<ArgumentException>(() => builder.UseS3(options =>
        {
            options.Bucket = "bucket";
            Invalid[name](options);
        }));
        Assert.Contains($"S3UploadStoreOptions.{(name.StartsWith("Sync", StringComparison.Ordinal) ? "SyncSize" : name.Split(' ')[0])}", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("uploads/")]
    [InlineData("a/b-c_d.e/")]
    public void UseS3_with_valid_prefix_registers_the_store(string prefix)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddResumableUploads().UseMemoryStore().UseS3(options =>
            (options.Bucket, options.KeyPrefix, options.ServiceUrl, options.Client) = ("bucket", prefix, "http://127.0.0.1:9", new Amazon.S3.AmazonS3Client("key", "secret", Amazon.RegionEndpoint.USEast1)));
        using ServiceProvider services = builder.Services.BuildServiceProvider();
        Assert.IsType<S3UploadStore>(services.GetRequiredService<Microsoft.Extensions.Options.IOptions<ResumableUploadOptions>>().Value.Store);
    }

    [Fact]
    public void Store_has_its_capabilities_and_moves_no_content_to_files()
    {
        using var client = new Amazon.S3.AmazonS3Client("key", "secret", Amazon.RegionEndpoint.USEast1);
        using var store = new S3UploadStore(new S3UploadStoreOptions { Bucket = "bucket", Client = client });
        IUploadStore known = store;
        Assert.NotNull(known.GetCapability<IStagedAppendStore>());
        Assert.NotNull(known.GetCapability<ISingleRequestStore>());
        Assert.NotNull(known.GetCapability<IReplacingStore>());
        Assert.NotNull(known.GetCapability<ITakeoverStore>());
        Assert.NotNull(known.GetCapability<IStoreStartupCheck>());
        Assert.NotNull(known.GetCapability<ISelfCleaningStore>());
        Assert.NotNull(known.GetCapability<ISweepCheckpointStore>());
        Assert.NotNull(known.GetCapability<IContentCopier>());
        Assert.NotNull(known.GetCapability<IContentUrlProvider>());
        Assert.Null(known.GetCapability<IContentMover>());
    }
}

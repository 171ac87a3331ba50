using Amazon.S3;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3.Gateway;

/// <summary>A real service: the one that <c>tests/s3-gateway</c> starts. Its URL is in the environment variable S3_GATEWAY_URL.</summary>
public sealed class S3Gateway : S3Endpoint
{
    /// <summary>The trait of tests that need the gateway.</summary>
    public const string Trait = "Requires";

    /// <inheritdoc cref="Trait"/>
    public const string TraitValue = "S3Gateway";

    public override string ServiceUrl => Environment.GetEnvironmentVariable("S3_GATEWAY_URL") ?? throw new InvalidOperationException("S3_GATEWAY_URL is not set. Run .ci/nightly, which starts the gateway.");

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public override async ValueTask CreateBucketAsync(string bucket)
    {
        using AmazonS3Client client = CreateClient();
        await client.PutBucketAsync(bucket);
    }
}

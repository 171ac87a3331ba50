using ResumableUploads.TestKit;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FunctionalTests.Stores.S3;

/// <summary>The store keeps the laws, on one instance and on two.</summary>
public abstract class S3StoreContractTests(S3Endpoint endpoint)
{
    public static TheoryData<string> Cases => [.. StoreContract.GetCaseNames(
        StoreCapabilities.StagedAppends | StoreCapabilities.SharedStorage | StoreCapabilities.SingleRequests | StoreCapabilities.Replacements | StoreCapabilities.Takeovers
            | StoreCapabilities.ContentCopies | StoreCapabilities.ContentUrls)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Store_keeps_the_laws(string name) =>
        await StoreContract.RunAsync(name, new S3Storage(await endpoint.CreateBucketAsync()), TestContext.Current.CancellationToken);
}

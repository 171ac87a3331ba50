using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>The store keeps the laws on the emulator, alone and with a second store in the same container.</summary>
[Collection(nameof(AzuriteContractTests))]
public class AzureBlobContractTests(AzuriteServer server)
{
    private const StoreCapabilities Capabilities =
        StoreCapabilities.StagedAppends | StoreCapabilities.SharedStorage | StoreCapabilities.SingleRequests | StoreCapabilities.Takeovers
        | StoreCapabilities.Replacements | StoreCapabilities.ContentCopies | StoreCapabilities.ContentUrls;

    public static TheoryData<string> Cases => [.. StoreContract.GetCaseNames(Capabilities)];

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Store_keeps_the_laws(string name) => StoreContract.RunAsync(name, new AzureBlobStorage(server), TestContext.Current.CancellationToken);
}

using ResumableUploads.Abstractions;
using ResumableUploads.TestKit;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Stores.Contract;

/// <summary>The stores of the package and the decorator of the test kit keep the laws.</summary>
public class StoreContractTests
{
    private const StoreCapabilities AllCapabilities = StoreCapabilities.StagedAppends | StoreCapabilities.SharedStorage | StoreCapabilities.SingleRequests
        | StoreCapabilities.Replacements | StoreCapabilities.ContentMoves | StoreCapabilities.DeferredSyncs | StoreCapabilities.Takeovers;

    public static TheoryData<string> MemoryCases => [.. StoreContract.GetCaseNames(StoreCapabilities.StagedAppends | StoreCapabilities.Replacements)];

    public static TheoryData<string> FileSystemCases => [.. StoreContract.GetCaseNames(AllCapabilities)];

    public static TheoryData<string> ObjectCases =>
        [.. StoreContract.GetCaseNames(StoreCapabilities.ContentCopies | StoreCapabilities.ContentUrls).Except(StoreContract.GetCaseNames(StoreCapabilities.None))];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(MemoryCases))]
    public Task Memory_store_keeps_the_laws(string name) => StoreContract.RunAsync(name, new MemoryStorage(), Token);

    [Theory]
    [MemberData(nameof(FileSystemCases))]
    public Task File_system_store_keeps_the_laws(string name) => StoreContract.RunAsync(name, new FileStorage(Durability.ProcessCrash), Token);

    [Theory]
    [MemberData(nameof(FileSystemCases))]
    public Task File_system_store_with_power_loss_durability_keeps_the_laws(string name) =>
        StoreContract.RunAsync(name, new FileStorage(Durability.PowerLoss), Token);

    [Theory]
    [MemberData(nameof(MemoryCases))]
    public Task Chaos_store_without_faults_keeps_the_laws(string name) =>
        StoreContract.RunAsync(name, new MemoryStorage(static store => new ChaosUploadStore(store)), Token);

    [Theory]
    [MemberData(nameof(ObjectCases))]
    public Task Store_with_copies_and_urls_keeps_the_laws(string name) => StoreContract.RunAsync(name, new ObjectStorage(static store => new ObjectStore(store)), Token);

    [Fact]
    public void Capabilities_add_cases()
    {
        IReadOnlyList<string> fewest = StoreContract.GetCaseNames(StoreCapabilities.None);
        IReadOnlyList<string> all = StoreContract.GetCaseNames(AllCapabilities);
        Assert.InRange(fewest.Count, 50, all.Count - 10);
        Assert.Equal(
            [
                "Store_without_deferred_syncs_capability_does_not_have_it",
                "Store_without_single_requests_capability_does_not_have_it",
                "Store_without_staged_appends_capability_does_not_have_it",
            ],
            fewest.Except(all).Order());
        Assert.Equal(all.Count, all.Distinct().Count());
        for (int law = 1; law <= 9; law++)
        {
            Assert.Contains(all, name => name.StartsWith($"Law{law}_", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Run_of_unknown_case_throws() =>
        await Assert.ThrowsAsync<ArgumentException>(() => StoreContract.RunAsync("none", new MemoryStorage(), Token));
}

using ResumableUploads.Abstractions;
using ResumableUploads.TestKit;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Stores.Contract;

/// <summary>The stores in the box keep the laws, and so does one around them.</summary>
public class StoreContractTests
{
    private const StoreCapabilities Everything = StoreCapabilities.StagedAppends | StoreCapabilities.SharedStorage | StoreCapabilities.SingleRequests;

    public static TheoryData<string> InMemory => [.. StoreContract.GetCaseNames(StoreCapabilities.StagedAppends)];

    public static TheoryData<string> OnDisk => [.. StoreContract.GetCaseNames(Everything)];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(InMemory))]
    public Task The_store_in_memory_keeps_the_laws(string name) => StoreContract.RunAsync(name, new MemoryStorage(), Token);

    [Theory]
    [MemberData(nameof(OnDisk))]
    public Task The_file_system_store_keeps_the_laws(string name) => StoreContract.RunAsync(name, new FileStorage(Durability.ProcessCrash), Token);

    [Theory]
    [MemberData(nameof(OnDisk))]
    public Task The_file_system_store_keeps_the_laws_through_power_loss(string name) =>
        StoreContract.RunAsync(name, new FileStorage(Durability.PowerLoss), Token);

    [Theory]
    [MemberData(nameof(InMemory))]
    public Task A_store_in_which_things_may_go_wrong_keeps_the_laws_while_nothing_does(string name) =>
        StoreContract.RunAsync(name, new MemoryStorage(static store => new ChaosUploadStore(store)), Token);

    [Fact]
    public void Abilities_bring_cases()
    {
        IReadOnlyList<string> least = StoreContract.GetCaseNames(StoreCapabilities.None);
        IReadOnlyList<string> most = StoreContract.GetCaseNames(Everything);
        Assert.InRange(least.Count, 50, most.Count - 10);
        Assert.Equal(
            ["Store_without_staged_appends_capability_has_no_staging", "Store_without_single_requests_capability_does_not_have_it"], least.Except(most).Order());
        Assert.Equal(most.Count, most.Distinct().Count());
        for (int law = 1; law <= 9; law++)
        {
            Assert.Contains(most, name => name.StartsWith($"Law{law}_", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_case_that_is_not_there_is_told() =>
        await Assert.ThrowsAsync<ArgumentException>(() => StoreContract.RunAsync("none", new MemoryStorage(), Token));
}

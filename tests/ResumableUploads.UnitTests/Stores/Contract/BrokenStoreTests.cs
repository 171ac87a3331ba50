using ResumableUploads.Abstractions;
using ResumableUploads.TestKit;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.Contract;

/// <summary>The cases find stores that are broken: each mistake, each time, by the cases that are about it.</summary>
public class BrokenStoreTests
{
    private const string Model = "Random_operation_sequences_match_the_model";
    private const string AtOnce = "Concurrent_calls_are_linearizable";

    private static readonly Dictionary<string, Func<IUploadStore, IUploadStore>> Mistakes = new()
    {
        [nameof(ClaimsInTwoSteps)] = static store => new ClaimsInTwoSteps(store),
        [nameof(AppendsWithoutTheCheck)] = static store => new AppendsWithoutTheCheck(store),
        [nameof(ComputesTheOffset)] = static store => new ComputesTheOffset(store),
        [nameof(UpdatesWithoutTheVersion)] = static store => new UpdatesWithoutTheVersion(store),
        [nameof(DeletesUnderAnAppend)] = static store => new DeletesUnderAnAppend(store),
        [nameof(ForgetsAppendsInTheVersion)] = static store => new ForgetsAppendsInTheVersion(store),
        [nameof(KeepsOutcomesInMemory)] = static store => new KeepsOutcomesInMemory(store),
        [nameof(SkipsInListings)] = static store => new SkipsInListings(store),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(nameof(ClaimsInTwoSteps), "Concurrent_creates_of_one_key_succeed_once", AtOnce)]
    [InlineData(nameof(AppendsWithoutTheCheck), "Law5_Append_at_wrong_offset_is_rejected_before_reading(9)", Model, AtOnce)]
    [InlineData(nameof(ComputesTheOffset), Model)]
    [InlineData(nameof(UpdatesWithoutTheVersion), "Version_of_a_deleted_upload_does_not_match_its_successor", Model, AtOnce)]
    [InlineData(nameof(DeletesUnderAnAppend), "Law9_Conditional_delete_during_an_append_returns_busy_at_once")]
    [InlineData(nameof(ForgetsAppendsInTheVersion), "Law9_Update_after_an_append_returns_version_mismatch")]
    [InlineData(nameof(KeepsOutcomesInMemory), Model)]
    [InlineData(nameof(SkipsInListings), "List_after_a_key_continues_without_gap_or_repeat(b)")]
    public async Task A_mistake_is_found(string mistake, params string[] cases)
    {
        foreach (string name in cases)
        {
            StoreContractException found = await Assert.ThrowsAsync<StoreContractException>(
                () => StoreContract.RunAsync(name, new MemoryStorage(Mistakes[mistake]), Token));
            Assert.StartsWith(name + ": ", found.Message, StringComparison.Ordinal);
            TestContext.Current.TestOutputHelper?.WriteLine(found.Message);
        }
    }
}

using ResumableUploads.Abstractions;
using ResumableUploads.TestKit;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.Contract;

/// <summary>The cases find stores that are broken: each mistake, each time, by the cases that are about it.</summary>
public class BrokenStoreTests
{
    private const string Model = "Random_histories_agree_with_a_model";
    private const string AtOnce = "Calls_made_at_once_are_as_if_made_one_after_the_other";

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
    [InlineData(nameof(ClaimsInTwoSteps), "Of_many_creations_of_one_key_exactly_one_makes_it", AtOnce)]
    [InlineData(nameof(AppendsWithoutTheCheck), "Law5_an_append_at_another_offset_is_refused_and_has_not_touched_the_content(9)", Model, AtOnce)]
    [InlineData(nameof(ComputesTheOffset), Model)]
    [InlineData(nameof(UpdatesWithoutTheVersion), "A_version_of_a_deleted_upload_changes_nothing_in_the_one_that_has_its_key_now", Model, AtOnce)]
    [InlineData(nameof(DeletesUnderAnAppend), "Law9_a_conditional_deletion_beside_a_running_append_is_busy_at_once")]
    [InlineData(nameof(ForgetsAppendsInTheVersion), "Law9_an_update_is_refused_when_bytes_were_appended_since_the_read")]
    [InlineData(nameof(KeepsOutcomesInMemory), Model)]
    [InlineData(nameof(SkipsInListings), "A_listing_goes_on_after_a_key_without_gap_or_repeat(b)")]
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

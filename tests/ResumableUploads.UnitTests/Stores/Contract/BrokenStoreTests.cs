using ResumableUploads.Abstractions;
using ResumableUploads.TestKit;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.Contract;

/// <summary>The cases detect stores with typical defects, each by the cases that test the violated law.</summary>
public class BrokenStoreTests
{
    private const string Model = "Random_operation_sequences_match_the_model";
    private const string Concurrency = "Concurrent_calls_are_linearizable";

    private static readonly Dictionary<string, Func<IUploadStore, IUploadStore>> Decorators = new()
    {
        [nameof(CreatesInTwoSteps)] = static store => new CreatesInTwoSteps(store),
        [nameof(AppendsWithoutOffsetCheck)] = static store => new AppendsWithoutOffsetCheck(store),
        [nameof(ComputesOffset)] = static store => new ComputesOffset(store),
        [nameof(UpdatesWithoutVersionCheck)] = static store => new UpdatesWithoutVersionCheck(store),
        [nameof(DeletesDuringAppend)] = static store => new DeletesDuringAppend(store),
        [nameof(IgnoresOffsetInVersion)] = static store => new IgnoresOffsetInVersion(store),
        [nameof(ReportsUnwrittenRecord)] = static store => new ReportsUnwrittenRecord(store),
        [nameof(WritesFinalRecordOfRefusedAppend)] = static store => new WritesFinalRecordOfRefusedAppend(store),
        [nameof(LosesResponses)] = static store => new LosesResponses(store),
        [nameof(SkipsInListings)] = static store => new SkipsInListings(store),
        [nameof(CompletesInTwoSteps)] = static store => new CompletesInTwoSteps(store),
        [nameof(HidesDeferredUpdates)] = static store => new HidesDeferredUpdates(store),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(nameof(CreatesInTwoSteps), "Concurrent_creates_of_one_key_succeed_once", Concurrency)]
    [InlineData(nameof(AppendsWithoutOffsetCheck), "Law5_Append_at_wrong_offset_is_rejected_before_reading(9)", Model, Concurrency)]
    [InlineData(nameof(ComputesOffset), Model)]
    [InlineData(nameof(UpdatesWithoutVersionCheck), "Version_of_a_deleted_upload_does_not_match_its_successor", Model, Concurrency)]
    [InlineData(nameof(DeletesDuringAppend), "Law9_Conditional_delete_during_an_append_returns_Busy_without_waiting")]
    [InlineData(nameof(IgnoresOffsetInVersion), "Law9_Update_after_an_append_returns_VersionMismatch")]
    [InlineData(nameof(ReportsUnwrittenRecord), "Append_writes_the_final_record_or_leaves_the_record(False, Received)")]
    [InlineData(nameof(WritesFinalRecordOfRefusedAppend), "Refused_append_does_not_request_the_final_record", "Staged_append_does_not_request_the_final_record")]
    [InlineData(nameof(LosesResponses), Model)]
    [InlineData(nameof(SkipsInListings), "List_with_StartAfter_returns_exactly_the_following_uploads(b)")]
    [InlineData(nameof(CompletesInTwoSteps), "Deferred_change_with_a_stale_version_changes_nothing(True)", "Concurrent_completions_of_one_upload_succeed_once")]
    [InlineData(nameof(HidesDeferredUpdates), "Deferred_update_is_visible_at_once", "Deferred_change_with_a_stale_version_changes_nothing(False)")]
    public async Task Defect_is_detected(string defect, params string[] cases)
    {
        foreach (string name in cases)
        {
            StoreContractException exception = await Assert.ThrowsAsync<StoreContractException>(
                () => StoreContract.RunAsync(name, new MemoryStorage(Decorators[defect]), Token));
            Assert.StartsWith(name + ": ", exception.Message, StringComparison.Ordinal);
            TestContext.Current.TestOutputHelper?.WriteLine(exception.Message);
        }
    }
}

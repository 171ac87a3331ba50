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
        [nameof(CompletesWithoutVersionCheck)] = static store => new CompletesWithoutVersionCheck(store),
        [nameof(KeepsFirstResponse)] = static store => new KeepsFirstResponse(store),
        [nameof(IgnoresRefusals)] = static store => new IgnoresRefusals(store),
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
    [InlineData(nameof(IgnoresRefusals), "Append_whose_content_refuses_the_record_returns_Busy_and_changes_nothing")]
    [InlineData(nameof(SkipsInListings), "List_with_StartAfter_returns_exactly_the_following_uploads(b)")]
    [InlineData(
        nameof(LosesResponses),
        "Complete_stores_record_and_response_together(0)",
        "Complete_stores_record_and_response_together(1048576)",
        "Law7_Response_with_every_byte_value_round_trips",
        Model)]
    [InlineData(
        nameof(CompletesInTwoSteps),
        "Law9_Complete_with_stale_version_changes_neither_record_nor_response(100)",
        "Law9_Concurrent_completions_succeed_once_with_their_response(100)",
        "Law9_Complete_during_an_append_returns_Busy",
        "Complete_of_missing_upload_returns_NotFound",
        "Complete_with_a_response_above_1_MiB_throws",
        "Complete_with_a_record_in_another_state_throws(Received)",
        "Response_is_deleted_with_its_upload(10)")]
    [InlineData(
        nameof(CompletesWithoutVersionCheck),
        "Law9_Complete_with_stale_version_changes_neither_record_nor_response(100)",
        "Law9_Complete_with_version_from_before_an_append_returns_VersionMismatch",
        "Complete_with_a_record_in_another_state_throws(Receiving)")]
    [InlineData(
        nameof(KeepsFirstResponse),
        "Upload_without_a_response_returns_null",
        "Complete_replaces_the_previous_response_and_later_updates_keep_it(10, 20)",
        Model)]
    [InlineData(nameof(HidesDeferredUpdates), "Deferred_update_is_visible_at_once", "Deferred_change_with_a_stale_version_changes_nothing")]
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

    [Theory]
    [InlineData("Copy_has_the_content_and_the_upload_stays(1)")]
    [InlineData("Copy_replaces_another_object_only_with_overwrite(False)")]
    [InlineData("Copy_replaces_another_object_only_with_overwrite(True)")]
    [InlineData("Copy_with_stale_version_copies_nothing")]
    [InlineData("Copy_of_a_receiving_upload_returns_Busy")]
    [InlineData("Copy_of_a_missing_upload_returns_NotFound")]
    [InlineData("Repeated_copy_of_the_same_upload_succeeds")]
    [InlineData("Url_returns_the_content(1)")]
    [InlineData("Url_is_not_created_for_a_missing_receiving_or_changed_upload")]
    [InlineData("Url_without_a_positive_lifetime_throws(0)")]
    public Task Copies_and_urls_without_conditions_are_detected(string name) =>
        Assert.ThrowsAsync<StoreContractException>(() => StoreContract.RunAsync(name, new ObjectStorage(static store => new CopiesWithoutConditions(store)), Token));

    [Fact]
    public Task Copy_that_is_not_recognized_is_detected() => Assert.ThrowsAsync<StoreContractException>(() => StoreContract.RunAsync(
        "Repeated_copy_of_the_same_upload_succeeds", new ObjectStorage(static store => new ForgetsItsCopies(store)), Token));

    [Theory]
    [InlineData("Law9_Concurrent_completions_by_two_stores_succeed_at_most_once(100)")]
    [InlineData("Law6_Completed_record_and_response_survive_reopening_the_store(10)")]
    public Task Response_that_is_not_shared_is_detected(string name) => Assert.ThrowsAsync<StoreContractException>(() => StoreContract.RunAsync(
        name, new FileStorage(Durability.ProcessCrash, static store => new CompletesInTwoSteps(store)), Token));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Store_that_remembers_the_record_is_detected(bool isCreatedAgain)
    {
        string name = $"Append_asks_the_content_about_a_record_that_another_store_has_written({isCreatedAgain})";
        await Assert.ThrowsAsync<StoreContractException>(() => StoreContract.RunAsync(
            name, new FileStorage(Durability.ProcessCrash, static store => new IgnoresRefusals(store, asksAboutFirstRecord: true)), Token));
        await StoreContract.RunAsync(
            "Append_whose_content_refuses_the_record_returns_Busy_and_changes_nothing",
            new FileStorage(Durability.ProcessCrash, static store => new IgnoresRefusals(store, asksAboutFirstRecord: true)),
            Token);
    }

    [Theory]
    [InlineData("Law3_Content_that_ends_near_a_block_boundary_continues_there(1, 0)")]
    [InlineData("Law3_Content_that_ends_near_a_block_boundary_continues_there(2, 0)")]
    [InlineData("Law3_Content_that_is_cut_in_the_middle_of_a_block_resumes_there")]
    public Task Defect_at_a_block_boundary_is_detected(string name) => Assert.ThrowsAsync<StoreContractException>(() => StoreContract.RunAsync(
        name, new MemoryStorage(static store => new LosesLastByteOfFullBlock(store)), Token));

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    public Task Store_that_remembers_the_offset_is_detected(int difference) => Assert.ThrowsAsync<StoreContractException>(() => StoreContract.RunAsync(
        $"Law6_Content_near_a_block_boundary_resumes_in_another_store({difference})",
        new FileStorage(Durability.ProcessCrash, static store => new RemembersOffset(store)),
        Token));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_that_continues_after_a_takeover_is_detected(bool isBroken)
    {
        foreach (string name in (string[])["Append_that_was_taken_over_adds_no_bytes_after_its_successor", "Append_that_does_not_end_is_not_taken_over_or_does_not_count"])
        {
            Exception? failure = await Record.ExceptionAsync(() => StoreContract.RunAsync(name, new FencingStorage(isBroken), Token));
            Assert.Equal(isBroken, failure is StoreContractException);
        }
    }
}

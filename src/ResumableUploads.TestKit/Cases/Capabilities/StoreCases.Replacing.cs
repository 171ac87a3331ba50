using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for stores that can replace an upload by another one.</content>
internal sealed partial class StoreCases
{
    private static readonly UploadKey ReplacementKey = new("owner", "replacement");

    private IReplacingStore ReplacingStore => CaseAssert.RequireNotNull(Store.GetCapability<IReplacingStore>());

    [Case(UploadState.Receiving, Requires = StoreCapabilities.Replacements)]
    [Case(UploadState.Received, Requires = StoreCapabilities.Replacements)]
    [Case(UploadState.Completed, Requires = StoreCapabilities.Replacements)]
    public async Task Replacement_takes_the_key_with_its_record_and_content(UploadState state)
    {
        await CreateWithContentAsync(Bytes(1000));
        UploadInfo old = state == UploadState.Receiving ? await GetAsync()
            : state == UploadState.Received ? await UpdateStateAsync(state)
            : await CompleteAsync(Bytes(10));
        await CreateAsync(ReplacementKey, new UploadRecord { Length = 500, SlidingExpiration = TimeSpan.FromDays(3), Data = Bytes(20, 3) });
        await AppendAsync(0, Bytes(300, 2), ReplacementKey);
        UploadInfo replacement = await GetAsync(ReplacementKey);

        UpdateResult result = await ReplacingStore.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token);
        CaseAssert.Equal(ChangeStatus.Succeeded, result.Status);
        UploadInfo current = await GetAsync();
        CaseAssert.Equal((Key, current.Version, 300L), (result.Info!.Key, result.Info.Version, result.Info.Offset));
        CaseAssert.Equal((UploadState.Receiving, 300L, (long?)500), (current.State, current.Offset, current.Length));
        CaseAssert.Equal((replacement.LastModified, replacement.Expires), (current.LastModified, current.Expires));
        CaseAssert.Equal(Bytes(20, 3), current.Record.Data.ToArray());
        CaseAssert.NotEqual(old.Version, current.Version);
        CaseAssert.Null(await ReadResponseAsync());
        CaseAssert.Equal(Bytes(300, 2), await ReadContentAsync());
        CaseAssert.Null(await Store.GetAsync(ReplacementKey, Token));
        CaseAssert.Equal([Key], await ListAsync());
    }

    [Case(Requires = StoreCapabilities.Replacements)]
    public async Task Replacement_can_be_appended_to_and_completed()
    {
        UploadInfo old = await CreateWithContentAsync(Bytes(1000));
        UploadInfo replacement = await CreateAsync(ReplacementKey);
        await ReplacingStore.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token);
        CaseAssert.Equal(AppendStatus.OffsetMismatch, (await AppendAsync(1000, Bytes(1))).Status);
        CaseAssert.Equal((AppendStatus.Appended, BlockSize + 5000L), await AppendStatusAsync(0, Bytes(BlockSize + 5000, 2)));
        CaseAssert.Equal(UploadState.Completed, (await CompleteAsync(Bytes(5, 4))).State);
        CaseAssert.Equal(Bytes(5, 4), await ReadResponseAsync());
        CaseAssert.Equal(Bytes(BlockSize + 5000, 2), await ReadContentAsync());
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, old.Version, Token)).Status);
        CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(Key, null, Token)).Status);
    }

    [Case(true, Requires = StoreCapabilities.Replacements)]
    [Case(false, Requires = StoreCapabilities.Replacements)]
    public async Task Replacement_with_a_stale_version_changes_nothing(bool isOldStale)
    {
        UploadInfo old = await CreateWithContentAsync(Bytes(10));
        UploadInfo replacement = await CreateWithContentAsync(Bytes(20, 2), ReplacementKey);
        await (isOldStale ? AppendAsync(10, Bytes(1)) : AppendAsync(20, Bytes(1), ReplacementKey));
        UpdateResult result = await ReplacingStore.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.VersionMismatch, null), result);
        CaseAssert.Equal((isOldStale ? 11L : 10L, isOldStale ? 20L : 21L), ((await GetAsync()).Offset, (await GetAsync(ReplacementKey)).Offset));
    }

    [Case(true, Requires = StoreCapabilities.Replacements)]
    [Case(false, Requires = StoreCapabilities.Replacements)]
    public async Task Replacement_during_an_append_returns_Busy(bool appendsToOld)
    {
        UploadInfo old = await CreateWithContentAsync(Bytes(10));
        UploadInfo replacement = await CreateWithContentAsync(Bytes(10), ReplacementKey);
        var content = new RecordingContent();
        content.Send(Bytes(5));
        Task<AppendResult> append = StartAppend(10, content, appendsToOld ? Key : ReplacementKey);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(ChangeStatus.Busy, (await ReplacingStore.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token)).Status);
        content.Complete();
        CaseAssert.Equal((AppendStatus.Appended, 15L), await GetStatusAsync(append));
    }

    [Case(true, Requires = StoreCapabilities.Replacements)]
    [Case(false, Requires = StoreCapabilities.Replacements)]
    public async Task Replacement_of_or_by_a_missing_upload_returns_NotFound(bool isOldMissing)
    {
        UploadInfo existing = await CreateWithContentAsync(Bytes(10), isOldMissing ? ReplacementKey : Key);
        UpdateResult result = await ReplacingStore.ReplaceAsync(Key, existing.Version, ReplacementKey, existing.Version, Token);
        CaseAssert.Equal(new UpdateResult(ChangeStatus.NotFound, null), result);
        CaseAssert.Equal(existing.Version, (await GetAsync(existing.Key)).Version);
    }

    [Case(Requires = StoreCapabilities.Replacements)]
    public async Task Replacement_that_is_not_receiving_throws()
    {
        UploadInfo old = await CreateWithContentAsync(Bytes(10));
        await CreateWithContentAsync(Bytes(10), ReplacementKey);
        UploadInfo replacement = await UpdateStateAsync(UploadState.Received, ReplacementKey);
        await CaseAssert.ThrowsAsync<ArgumentException>(
            async () => await ReplacingStore.ReplaceAsync(Key, old.Version, ReplacementKey, replacement.Version, Token));
        await CaseAssert.ThrowsAsync<ArgumentException>(async () => await ReplacingStore.ReplaceAsync(Key, old.Version, Key, old.Version, Token));
        CaseAssert.Equal(old.Version, (await GetAsync()).Version);
    }

    [Case(Requires = StoreCapabilities.Replacements)]
    public async Task Concurrent_replacements_of_one_upload_succeed_once()
    {
        for (int round = 0; round < 10; round++)
        {
            var key = new UploadKey("owner", $"replaced-{round}");
            UploadInfo old = await CreateWithContentAsync(Bytes(10), key);
            UploadInfo[] replacements = new UploadInfo[4];
            for (int i = 0; i < replacements.Length; i++)
            {
                replacements[i] = await CreateWithContentAsync(Bytes(20, i), new UploadKey("owner", $"new-{round}-{i}"));
            }

            ChangeStatus[] statuses = await RunConcurrentlyAsync(replacements.Length, async i =>
                (await ReplacingStore.ReplaceAsync(key, old.Version, replacements[i].Key, replacements[i].Version, Token)).Status);
            CaseAssert.Single(statuses, status => status == ChangeStatus.Succeeded);
            CaseAssert.Equal(Bytes(20, Array.IndexOf(statuses, ChangeStatus.Succeeded)), await ReadContentAsync(key));
        }
    }

    private async Task<(AppendStatus Status, long Offset)> AppendStatusAsync(long offset, byte[] bytes)
    {
        AppendResult result = await AppendAsync(offset, bytes);
        return (result.Status, result.Offset);
    }

    private async Task<(AppendStatus Status, long Offset)> GetStatusAsync(Task<AppendResult> append)
    {
        AppendResult result = await append.WaitAsync(CaseTimeout, Token);
        return (result.Status, result.Offset);
    }
}

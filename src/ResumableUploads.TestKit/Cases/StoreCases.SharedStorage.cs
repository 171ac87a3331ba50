using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for stores with shared storage: data survives reopening the store, and two store instances can use the same storage concurrently.</content>
internal sealed partial class StoreCases
{
    [Case(Requires = StoreCapabilities.SharedStorage)]
    public async Task Law6_Acknowledged_data_survives_reopening_the_store()
    {
        await CreateAsync(record: new UploadRecord { Length = 200_000, SlidingExpiration = TimeSpan.FromDays(1), Data = Bytes(500, 3) });
        await AppendAsync(0, Bytes(100_000));
        UploadInfo before = await GetAsync();
        await DisposeStoreAsync(Store);

        IUploadStore reopened = await OpenStoreAsync();
        UploadInfo after = CaseAssert.RequireNotNull(await reopened.GetAsync(Key, Token));
        CaseAssert.Equal((before.Version, before.Offset, before.State), (after.Version, after.Offset, after.State));
        CaseAssert.Equal((before.Length, before.LastModified, before.Expires), (after.Length, after.LastModified, after.Expires));
        CaseAssert.Equal(Bytes(500, 3), after.Record.Data.ToArray());
        CaseAssert.Equal(Bytes(100_000), await ReadContentAsync(reopened, Key));
        await DisposeStoreAsync(reopened);
    }

    [Case(Requires = StoreCapabilities.SharedStorage)]
    public async Task Upload_resumes_after_reopening_the_store()
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        await DisposeStoreAsync(Store);
        IUploadStore reopened = await OpenStoreAsync();
        AppendResult append = await reopened.AppendAsync(Key, 10, RecordingContent.FromBytes(Bytes(5, 2)), AppendMode.KeepPartial, Token);
        CaseAssert.Equal((AppendStatus.Appended, 15L), (append.Status, append.Offset));
        CaseAssert.NotEqual(before.Version, append.Version);
        CaseAssert.Equal(Concatenate(Bytes(10), Bytes(5, 2)), await ReadContentAsync(reopened, Key));
        await DisposeStoreAsync(reopened);
    }

    [Case(Requires = StoreCapabilities.SharedStorage)]
    public async Task Concurrent_creates_of_one_key_by_two_stores_succeed_once()
    {
        IUploadStore other = await OpenStoreAsync();
        for (int round = 0; round < 20; round++)
        {
            var key = new UploadKey("owner", $"race-{round}");
            CreateResult[] results = await RunConcurrentlyAsync(4, async i =>
                await (i % 2 == 0 ? Store : other).CreateAsync(key, new UploadRecord { Data = new[] { (byte)i } }, Token));
            CreateResult winner = CaseAssert.Single(results, result => result.Status == CreateStatus.Created);
            CaseAssert.Equal(winner.Info!.Version, (await GetAsync(key)).Version);
            CaseAssert.Equal(winner.Info.Version, (await other.GetAsync(key, Token))!.Version);
        }

        await DisposeStoreAsync(other);
    }

    [Case(Requires = StoreCapabilities.SharedStorage)]
    public async Task Law1_Concurrent_appends_by_two_stores_at_one_offset_succeed_at_most_once()
    {
        IUploadStore other = await OpenStoreAsync();
        await CreateAsync();
        byte[] expected = [];
        for (int round = 0; round < 20; round++)
        {
            int offset = expected.Length;
            AppendResult[] results = await RunConcurrentlyAsync(4, async i => await (i % 2 == 0 ? Store : other).AppendAsync(
                Key, offset, RecordingContent.FromBytes(Bytes(1000, (round * 4) + i)), AppendMode.KeepPartial, Token));
            int[] winners = [.. results.Index().Where(pair => pair.Item.Status == AppendStatus.Appended).Select(pair => pair.Index)];
            // A store may reject all of them.
            CaseAssert.InRange(winners.Length, 0, 1);
            expected = [.. expected, .. winners.SelectMany(i => Bytes(1000, (round * 4) + i))];
            CaseAssert.Equal(expected, await ReadContentAsync(other, Key));
        }

        await DisposeStoreAsync(other);
    }

    [Case(Requires = StoreCapabilities.SharedStorage)]
    public async Task Law9_Changes_by_another_store_during_an_append_return_Busy_without_waiting()
    {
        IUploadStore other = await OpenStoreAsync();
        UploadInfo created = await CreateAsync();
        var firstContent = new RecordingContent();
        Task<AppendResult> append = StartAppend(0, firstContent);
        await firstContent.FirstReadTask.WaitAsync(CaseTimeout, Token);

        RecordingContent secondContent = RecordingContent.FromBytes(Bytes(5));
        AppendResult second = await other.AppendAsync(Key, 0, secondContent, AppendMode.KeepPartial, Token).AsTask().WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal((AppendStatus.Busy, 0), (second.Status, secondContent.ReadCount));
        CaseAssert.Equal(ChangeStatus.Busy, (await other.UpdateAsync(Key, created.Version, created.Record, Token).AsTask().WaitAsync(CaseTimeout, Token)).Status);
        CaseAssert.Equal(ChangeStatus.Busy, (await other.DeleteAsync(Key, created.Version, Token).AsTask().WaitAsync(CaseTimeout, Token)).Status);
        CaseAssert.NotNull(await other.GetAsync(Key, Token));

        firstContent.Send(Bytes(10));
        firstContent.Complete();
        CaseAssert.Equal(10, (await append.WaitAsync(CaseTimeout, Token)).Offset);
        await DisposeStoreAsync(other);
    }

    [Case(Requires = StoreCapabilities.SharedStorage)]
    public async Task Law9_Running_append_returns_NotFound_after_another_store_recreates_upload()
    {
        IUploadStore other = await OpenStoreAsync();
        await CreateAsync();
        var firstContent = new RecordingContent();
        firstContent.Send(Bytes(5000));
        Task<AppendResult> append = StartAppend(0, firstContent);
        await firstContent.FirstReadTask.WaitAsync(CaseTimeout, Token);

        // A delete without a version succeeds even while an append is running.
        CaseAssert.Equal(ChangeStatus.Succeeded, (await other.DeleteAsync(Key, null, Token).AsTask().WaitAsync(CaseTimeout, Token)).Status);
        CaseAssert.Equal(CreateStatus.Created, (await other.CreateAsync(Key, new UploadRecord(), Token)).Status);
        firstContent.Complete();
        CaseAssert.Equal(AppendStatus.NotFound, (await append.WaitAsync(CaseTimeout, Token)).Status);
        CaseAssert.Equal(0, (await other.GetAsync(Key, Token))!.Offset);
        CaseAssert.Empty(await ReadContentAsync(other, Key));
        await DisposeStoreAsync(other);
    }

    /// <summary>The store may remember what it has read. The content is compared with the record that counts now.</summary>
    [Case(false, Requires = StoreCapabilities.SharedStorage)]
    [Case(true, Requires = StoreCapabilities.SharedStorage)]
    public async Task Append_asks_the_content_about_a_record_that_another_store_has_written(bool isCreatedAgain)
    {
        IUploadStore other = await OpenStoreAsync();
        UploadInfo created = await CreateAsync(record: new UploadRecord { Data = Bytes(5, 1) });
        CaseAssert.Equal(created.Version, (await GetAsync()).Version);
        if (isCreatedAgain)
        {
            CaseAssert.Equal(ChangeStatus.Succeeded, (await other.DeleteAsync(Key, null, Token)).Status);
            CaseAssert.Equal(CreateStatus.Created, (await other.CreateAsync(Key, new UploadRecord { Data = Bytes(5, 2) }, Token)).Status);
        }
        else
        {
            CaseAssert.Equal(ChangeStatus.Succeeded, (await other.UpdateAsync(Key, created.Version, new UploadRecord { Data = Bytes(5, 2) }, Token)).Status);
        }

        byte[] expected = Bytes(5, 2);
        var content = new RecordingContent { RecordDecision = record => !record.Data.Span.SequenceEqual(expected) };
        content.Send(Bytes(10));
        content.Complete();
        CaseAssert.Equal(AppendStatus.Busy, (await StartAppend(0, content).WaitAsync(CaseTimeout, Token)).Status);
        CaseAssert.Equal(0, content.ReadCount);
        CaseAssert.Empty(await ReadContentAsync(other, Key));
        await DisposeStoreAsync(other);
    }

    [Case(Requires = StoreCapabilities.SharedStorage)]
    public async Task Law9_Update_with_version_from_another_store_invalidates_that_version()
    {
        IUploadStore other = await OpenStoreAsync();
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        CaseAssert.Equal(ChangeStatus.Succeeded, (await other.UpdateAsync(Key, info.Version, info.Record with { State = UploadState.Received }, Token)).Status);
        CaseAssert.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
        CaseAssert.Equal(AppendStatus.NotReceiving, (await AppendAsync(10, Bytes(5))).Status);
        await DisposeStoreAsync(other);
    }
}

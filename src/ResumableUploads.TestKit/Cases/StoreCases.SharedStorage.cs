using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

/// <content>The laws of a store whose storage outlives it and can be opened twice at once: as after a restart, and as from two processes.</content>
internal sealed partial class StoreCases
{
    [Case(Needs = StoreAbilities.SharesStorage)]
    public async Task Law6_what_was_acknowledged_is_there_for_a_store_that_opens_the_storage_again()
    {
        await CreateAsync(record: new UploadRecord { Length = 200_000, SlidingExpiration = TimeSpan.FromDays(1), Data = Bytes(500, 3) });
        await AppendAsync(0, Bytes(100_000));
        await Store.PutOutcomeAsync(Key, Bytes(50, 2), Token);
        UploadInfo before = await GetAsync();
        await CloseAsync(Store);

        IUploadStore again = await OpenAgainAsync();
        UploadInfo after = Check.NotNullOf(await again.GetAsync(Key, Token));
        Check.Equal((before.Version, before.Offset, before.State), (after.Version, after.Offset, after.State));
        Check.Equal((before.Length, before.LastChanged, before.Expires), (after.Length, after.LastChanged, after.Expires));
        Check.Equal(Bytes(500, 3), after.Record.Data.ToArray());
        Check.Equal(Bytes(50, 2), (await again.GetOutcomeAsync(Key, Token))?.ToArray());
        Check.Equal(Bytes(100_000), await ContentAsync(again, Key));
        await CloseAsync(again);
    }

    [Case(Needs = StoreAbilities.SharesStorage)]
    public async Task An_upload_goes_on_in_a_store_that_opens_the_storage_again()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        await CloseAsync(Store);
        IUploadStore again = await OpenAgainAsync();
        AppendResult append = await again.AppendAsync(Key, 10, PipeContent.Of(Bytes(5, 2)), AppendMode.KeepWhatCame, Token);
        Check.Equal((AppendStatus.Appended, 15L), (append.Status, append.Offset));
        Check.NotEqual(before.Version, append.Version);
        Check.Equal(Joined(Bytes(10), Bytes(5, 2)), await ContentAsync(again, Key));
        await CloseAsync(again);
    }

    [Case(Needs = StoreAbilities.SharesStorage)]
    public async Task Of_creations_of_one_key_by_two_stores_exactly_one_makes_it()
    {
        IUploadStore other = await OpenAgainAsync();
        for (int round = 0; round < 20; round++)
        {
            var key = new UploadKey("owner", $"race-{round}");
            CreateResult[] results = await AtOnceAsync(4, async i =>
                await (i % 2 == 0 ? Store : other).CreateAsync(key, new UploadRecord { Data = new[] { (byte)i } }, Token));
            CreateResult winner = Check.Single(results, result => result.Status == CreateStatus.Created);
            Check.Equal(winner.Info!.Version, (await GetAsync(key)).Version);
            Check.Equal(winner.Info.Version, (await other.GetAsync(key, Token))!.Version);
        }

        await CloseAsync(other);
    }

    [Case(Needs = StoreAbilities.SharesStorage)]
    public async Task Law1_of_appends_at_one_offset_by_two_stores_at_most_one_changes_the_upload()
    {
        IUploadStore other = await OpenAgainAsync();
        await CreateAsync();
        byte[] expected = [];
        for (int round = 0; round < 20; round++)
        {
            int offset = expected.Length;
            AppendResult[] results = await AtOnceAsync(4, async i => await (i % 2 == 0 ? Store : other).AppendAsync(
                Key, offset, PipeContent.Of(Bytes(1000, (round * 4) + i)), AppendMode.KeepWhatCame, Token));
            int[] winners = [.. results.Index().Where(pair => pair.Item.Status == AppendStatus.Appended).Select(pair => pair.Index)];
            Check.InRange(winners.Length, 0, 1);
            expected = [.. expected, .. winners.SelectMany(i => Bytes(1000, (round * 4) + i))];
            Check.Equal(expected, await ContentAsync(other, Key));
        }

        await CloseAsync(other);
    }

    [Case(Needs = StoreAbilities.SharesStorage)]
    public async Task Law9_another_store_is_busy_at_once_while_one_appends()
    {
        IUploadStore other = await OpenAgainAsync();
        UploadInfo read = await CreateAsync();
        var running = new PipeContent();
        Task<AppendResult> append = StartAppend(0, running);
        await running.FirstRead.WaitAsync(Patience, Token);

        PipeContent refused = PipeContent.Of(Bytes(5));
        AppendResult second = await other.AppendAsync(Key, 0, refused, AppendMode.KeepWhatCame, Token).AsTask().WaitAsync(Patience, Token);
        Check.Equal((AppendStatus.Busy, 0), (second.Status, refused.Reads));
        Check.Equal(ChangeStatus.Busy, (await other.UpdateAsync(Key, read.Version, read.Record, Token).AsTask().WaitAsync(Patience, Token)).Status);
        Check.Equal(ChangeStatus.Busy, (await other.DeleteAsync(Key, read.Version, Token).AsTask().WaitAsync(Patience, Token)).Status);
        Check.NotNull(await other.GetAsync(Key, Token));

        running.Send(Bytes(10));
        running.End();
        Check.Equal(10, (await append.WaitAsync(Patience, Token)).Offset);
        await CloseAsync(other);
    }

    [Case(Needs = StoreAbilities.SharesStorage)]
    public async Task Law9_an_append_whose_upload_is_deleted_by_another_store_ends_in_not_found()
    {
        IUploadStore other = await OpenAgainAsync();
        await CreateAsync();
        var running = new PipeContent();
        running.Send(Bytes(5000));
        Task<AppendResult> append = StartAppend(0, running);
        await running.FirstRead.WaitAsync(Patience, Token);

        Check.Equal(ChangeStatus.Done, (await other.DeleteAsync(Key, null, Token).AsTask().WaitAsync(Patience, Token)).Status);
        Check.Equal(CreateStatus.Created, (await other.CreateAsync(Key, new UploadRecord(), Token)).Status);
        running.End();
        Check.Equal(AppendStatus.NotFound, (await append.WaitAsync(Patience, Token)).Status);
        Check.Equal(0, (await other.GetAsync(Key, Token))!.Offset);
        Check.Empty(await ContentAsync(other, Key));
        await CloseAsync(other);
    }

    [Case(Needs = StoreAbilities.SharesStorage)]
    public async Task Law9_a_version_that_one_store_gave_is_good_for_another()
    {
        IUploadStore other = await OpenAgainAsync();
        UploadInfo info = await CreateWithAsync(Bytes(10));
        Check.Equal(ChangeStatus.Done, (await other.UpdateAsync(Key, info.Version, info.Record with { State = UploadState.Received }, Token)).Status);
        Check.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
        Check.Equal(AppendStatus.NotReceiving, (await AppendAsync(10, Bytes(5))).Status);
        await CloseAsync(other);
    }
}

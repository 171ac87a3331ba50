using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public async Task Append_adds_the_bytes_and_says_what_is_there()
    {
        await CreateAsync();
        AppendResult first = await AppendAsync(0, Bytes(100, 1));
        AppendResult second = await AppendAsync(100, Bytes(50, 2));

        Check.Equal((AppendStatus.Appended, 100L), (first.Status, first.Offset));
        Check.Equal((AppendStatus.Appended, 150L), (second.Status, second.Offset));
        UploadInfo info = await GetAsync();
        Check.Equal(150, info.Offset);
        Check.Equal(second.Version, info.Version);
        Check.Equal(Joined(Bytes(100, 1), Bytes(50, 2)), await ContentAsync());
    }

    [Case]
    public async Task Law1_of_many_appends_at_one_offset_at_most_one_changes_the_upload()
    {
        byte[] expected = [];
        await CreateAsync();
        for (int round = 0; round < 10; round++)
        {
            int offset = expected.Length;
            AppendResult[] results = await AtOnceAsync(8, async i => await Store.AppendAsync(
                Key, offset, PipeContent.Of(Bytes(1000, (round * 8) + i)), AppendMode.KeepWhatCame, Token));

            (int Index, AppendResult)[] winners = [.. results.Index().Where(pair => pair.Item.Status == AppendStatus.Appended)];
            Check.All(results, result => Check.Contains(
                result.Status, new[] { AppendStatus.Appended, AppendStatus.OffsetMismatch, AppendStatus.Busy }));
            Check.InRange(winners.Length, 0, 1);
            expected = [.. expected, .. winners.SelectMany(winner => Bytes(1000, (round * 8) + winner.Index))];
            Check.Equal(expected, await ContentAsync());
        }
    }

    [Case]
    public async Task Law1_an_append_beside_a_running_one_is_busy_and_changes_nothing()
    {
        await CreateAsync();
        var running = new PipeContent();
        Task<AppendResult> append = StartAppend(0, running);
        await running.FirstRead.WaitAsync(Patience, Token);

        PipeContent other = PipeContent.Of(Bytes(10, 2));
        Check.Equal(new AppendResult(AppendStatus.Busy, 0, null), await StartAppend(0, other).WaitAsync(Patience, Token));
        Check.Equal(0, other.Reads);

        running.Send(Bytes(10));
        running.End();
        Check.Equal(10, (await append.WaitAsync(Patience, Token)).Offset);
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case]
    public async Task Law2_a_get_beside_a_running_append_tells_no_more_than_came()
    {
        await CreateWithAsync(Bytes(10));
        var running = new PipeContent();
        running.Send(Bytes(5, 2));
        Task<AppendResult> append = StartAppend(10, running);
        await running.FirstRead.WaitAsync(Patience, Token);
        Check.InRange((await GetAsync()).Offset, 10, 15);

        running.End();
        await append.WaitAsync(Patience, Token);
        Check.Equal(15, (await GetAsync()).Offset);
    }

    [Case]
    public async Task Law2_a_store_does_not_enforce_the_length_in_the_record()
    {
        await CreateAsync(record: new UploadRecord { Length = 5 });
        Check.Equal(10, (await AppendAsync(0, Bytes(10))).Offset);
    }

    [Case]
    public async Task Law3_pieces_of_many_sizes_make_up_what_was_sent()
    {
        byte[] sent = Bytes(700_000);
        await CreateAsync();
        int offset = 0;
        foreach (int size in new[] { 1, 4095, 1, 4096, 4097, 16_384, 65_536, 65_535, 300_000, 3 })
        {
            AppendResult result = await AppendAsync(offset, sent.AsSpan(offset, size));
            offset += size;
            Check.Equal(offset, result.Offset);
        }

        Check.Equal(sent[..offset], await ContentAsync());
    }

    [Case]
    public async Task Law3_a_content_of_many_segments_is_kept_whole()
    {
        byte[] sent = Bytes(300_000);
        await CreateAsync();
        var content = new PipeContent();
        Task<AppendResult> append = StartAppend(0, content);
        await content.FirstRead.WaitAsync(Patience, Token);
        for (int offset = 0; offset < sent.Length; offset += 3000)
        {
            content.Send(sent.AsSpan(offset, 3000));
        }

        content.End();
        Check.Equal(sent.Length, (await append.WaitAsync(Patience, Token)).Offset);
        Check.Equal(sent, await ContentAsync());
    }

    [Case]
    public async Task Law3_whoever_appends_in_whatever_order_the_content_is_what_was_acknowledged()
    {
        await CreateAsync();
        List<(long Offset, byte[] Bytes)>[] kept = await AtOnceAsync(6, async writer =>
        {
            var random = new Random(writer);
            List<(long, byte[])> mine = [];
            for (int attempt = 0; attempt < 40; attempt++)
            {
                long offset = (await GetAsync()).Offset;
                byte[] bytes = Bytes(random.Next(1, 9000), (writer * 1000) + attempt);
                AppendResult result = await Store.AppendAsync(Key, offset, PipeContent.Of(bytes), AppendMode.KeepWhatCame, Token);
                if (result.Status == AppendStatus.Appended)
                {
                    mine.Add((offset, bytes));
                }
            }

            return mine;
        });

        byte[] expected = [.. kept.SelectMany(list => list).OrderBy(piece => piece.Offset).SelectMany(piece => piece.Bytes)];
        Check.NotEmpty(expected);
        Check.Equal(expected.Length, (await GetAsync()).Offset);
        Check.Equal(expected, await ContentAsync());
    }

    [Case]
    public async Task Law3_an_append_that_follows_at_once_changes_nothing_in_the_answer_to_the_one_before()
    {
        const int Appends = 200;
        const int Writers = 2;
        await CreateAsync();
        AppendResult? wrong = null;
        await AtOnceAsync(Writers, async writer =>
        {
            for (int offset = writer; offset < Appends; offset += Writers)
            {
                AppendResult result;
                do
                {
                    result = await Store.AppendAsync(Key, offset, PipeContent.Of([(byte)offset]), AppendMode.KeepWhatCame, Token);
                }
                while (wrong is null && (result.Status == AppendStatus.Busy || (result.Status == AppendStatus.OffsetMismatch && result.Offset < offset)));

                wrong ??= (result.Status, result.Offset) == (AppendStatus.Appended, offset + 1) ? null : result;
            }

            return true;
        });

        Check.True(wrong is null, $"The answer to an append that was followed at once: {wrong}.");
        Check.Equal([.. Enumerable.Range(0, Appends).Select(offset => (byte)offset)], await ContentAsync());
    }

    [Case]
    public async Task Law4_a_content_that_ends_early_keeps_all_that_came()
    {
        await CreateAsync(record: new UploadRecord { Length = 1_000_000 });
        var content = new PipeContent { Expected = 1_000_000 };
        content.Send(Bytes(1234));
        content.End();
        AppendResult result = await StartAppend(0, content).WaitAsync(Patience, Token);

        Check.Equal((AppendStatus.Appended, 1234L), (result.Status, result.Offset));
        Check.Equal(1234, (await GetAsync()).Offset);
        Check.Equal(Bytes(1234), await ContentAsync());
        Check.Equal(1235, (await AppendAsync(1234, [7])).Offset);
        Check.Equal(Joined(Bytes(1234), [7]), await ContentAsync());
    }

    [Case]
    public async Task Law4_an_empty_content_is_appended_and_adds_nothing()
    {
        UploadInfo info = await CreateWithAsync(Bytes(10));
        PipeContent empty = PipeContent.Of([]);
        AppendResult result = await StartAppend(10, empty).WaitAsync(Patience, Token);

        Check.Equal((AppendStatus.Appended, 10L), (result.Status, result.Offset));
        Check.True(empty.WasReadToItsEnd);
        Check.Equal(result.Version, (await GetAsync()).Version);
        Check.Equal(Bytes(10), await ContentAsync());
        Check.Equal(info.Record.Length, (await GetAsync()).Record.Length);
    }

    [Case(0)]
    [Case(9)]
    [Case(11)]
    [Case(long.MaxValue)]
    public async Task Law5_an_append_at_another_offset_is_refused_and_has_not_touched_the_content(long offset)
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        PipeContent content = PipeContent.Of(Bytes(5));
        AppendResult result = await StartAppend(offset, content).WaitAsync(Patience, Token);

        Check.Equal(new AppendResult(AppendStatus.OffsetMismatch, 10, before.Version), result);
        Check.Equal(0, content.Reads);
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case]
    public async Task Law5_an_append_to_what_is_not_there_has_not_touched_the_content()
    {
        PipeContent content = PipeContent.Of(Bytes(5));
        AppendResult result = await StartAppend(0, content).WaitAsync(Patience, Token);
        Check.Equal(new AppendResult(AppendStatus.NotFound, 0, null), result);
        Check.Equal(0, content.Reads);
        Check.Null(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Law5_an_accepted_append_reads_the_content_to_its_end_and_leaves_the_reader_open()
    {
        await CreateAsync();
        PipeContent content = PipeContent.Of(Bytes(200_000));
        await StartAppend(0, content).WaitAsync(Patience, Token);
        Check.True(content.WasReadToItsEnd);
        Check.False(content.WasCompletedByTheStore);
        Check.Equal(0, content.TimesAsked);
    }

    [Case]
    public async Task Law6_what_is_reported_as_committed_rises_and_a_get_sees_no_less()
    {
        await CreateWithAsync(Bytes(10));
        List<(long Reported, Task<UploadInfo?> Seen)> reports = [];
        var content = new PipeContent
        {
            OnCommitted = reported => reports.Add((reported, Task.Run(async () => await Store.GetAsync(Key, Token), Token))),
        };
        Task<AppendResult> append = StartAppend(10, content);
        await content.FirstRead.WaitAsync(Patience, Token);
        for (int i = 0; i < 50; i++)
        {
            content.Send(Bytes(10_000, i));
        }

        content.End();
        await append.WaitAsync(Patience, Token);

        Check.Equal(content.CommittedOffsets.Order(), content.CommittedOffsets);
        Check.All(content.CommittedOffsets, reported => Check.InRange(reported, 10, 500_010));
        foreach ((long reported, Task<UploadInfo?> seen) in reports)
        {
            Check.InRange((await seen.WaitAsync(Patience, Token))!.Offset, reported, 500_010);
        }
    }
}

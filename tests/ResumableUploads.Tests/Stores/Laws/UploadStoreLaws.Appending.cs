using ResumableUploads.Abstractions;

namespace ResumableUploads.Tests.Stores.Laws;

public abstract partial class UploadStoreLaws
{
    [Fact]
    public async Task Append_adds_the_bytes_and_says_what_is_there()
    {
        await CreateAsync();
        AppendResult first = await AppendAsync(0, Bytes(100, 1));
        AppendResult second = await AppendAsync(100, Bytes(50, 2));

        Assert.Equal((AppendStatus.Appended, 100L), (first.Status, first.Offset));
        Assert.Equal((AppendStatus.Appended, 150L), (second.Status, second.Offset));
        UploadInfo info = await GetAsync();
        Assert.Equal(150, info.Offset);
        Assert.Equal(second.Version, info.Version);
        Assert.Equal(Joined(Bytes(100, 1), Bytes(50, 2)), await ContentAsync());
    }

    [Fact]
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
            Assert.All(results, result => Assert.Contains(
                result.Status, new[] { AppendStatus.Appended, AppendStatus.OffsetMismatch, AppendStatus.Busy }));
            Assert.InRange(winners.Length, 0, 1);
            expected = [.. expected, .. winners.SelectMany(winner => Bytes(1000, (round * 8) + winner.Index))];
            Assert.Equal(expected, await ContentAsync());
        }
    }

    [Fact]
    public async Task Law1_an_append_beside_a_running_one_is_busy_and_changes_nothing()
    {
        await CreateAsync();
        var running = new PipeContent();
        Task<AppendResult> append = StartAppend(0, running);
        await running.FirstRead.WaitAsync(Patience, Token);

        PipeContent other = PipeContent.Of(Bytes(10, 2));
        Assert.Equal(new AppendResult(AppendStatus.Busy, 0, null), await StartAppend(0, other).WaitAsync(Patience, Token));
        Assert.Equal(0, other.Reads);

        running.Send(Bytes(10));
        running.End();
        Assert.Equal(10, (await append.WaitAsync(Patience, Token)).Offset);
        Assert.Equal(Bytes(10), await ContentAsync());
    }

    [Fact]
    public async Task Law2_a_get_beside_a_running_append_tells_no_more_than_came()
    {
        await CreateWithAsync(Bytes(10));
        var running = new PipeContent();
        running.Send(Bytes(5, 2));
        Task<AppendResult> append = StartAppend(10, running);
        await running.FirstRead.WaitAsync(Patience, Token);
        Assert.InRange((await GetAsync()).Offset, 10, 15);

        running.End();
        await append.WaitAsync(Patience, Token);
        Assert.Equal(15, (await GetAsync()).Offset);
    }

    [Fact]
    public async Task Law2_a_store_does_not_enforce_the_length_in_the_record()
    {
        await CreateAsync(record: new UploadRecord { Length = 5 });
        Assert.Equal(10, (await AppendAsync(0, Bytes(10))).Offset);
    }

    [Fact]
    public async Task Law3_pieces_of_many_sizes_make_up_what_was_sent()
    {
        byte[] sent = Bytes(700_000);
        await CreateAsync();
        int offset = 0;
        foreach (int size in new[] { 1, 4095, 1, 4096, 4097, 16_384, 65_536, 65_535, 300_000, 3 })
        {
            AppendResult result = await AppendAsync(offset, sent.AsSpan(offset, size));
            offset += size;
            Assert.Equal(offset, result.Offset);
        }

        Assert.Equal(sent[..offset], await ContentAsync());
    }

    [Fact]
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
        Assert.Equal(sent.Length, (await append.WaitAsync(Patience, Token)).Offset);
        Assert.Equal(sent, await ContentAsync());
    }

    [Fact]
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
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Length, (await GetAsync()).Offset);
        Assert.Equal(expected, await ContentAsync());
    }

    [Fact]
    public async Task Law4_a_content_that_ends_early_keeps_all_that_came()
    {
        await CreateAsync(record: new UploadRecord { Length = 1_000_000 });
        var content = new PipeContent { Expected = 1_000_000 };
        content.Send(Bytes(1234));
        content.End();
        AppendResult result = await StartAppend(0, content).WaitAsync(Patience, Token);

        Assert.Equal((AppendStatus.Appended, 1234L), (result.Status, result.Offset));
        Assert.Equal(1234, (await GetAsync()).Offset);
        Assert.Equal(Bytes(1234), await ContentAsync());
        Assert.Equal(1235, (await AppendAsync(1234, [7])).Offset);
        Assert.Equal(Joined(Bytes(1234), [7]), await ContentAsync());
    }

    [Fact]
    public async Task Law4_an_empty_content_is_appended_and_adds_nothing()
    {
        UploadInfo info = await CreateWithAsync(Bytes(10));
        PipeContent empty = PipeContent.Of([]);
        AppendResult result = await StartAppend(10, empty).WaitAsync(Patience, Token);

        Assert.Equal((AppendStatus.Appended, 10L), (result.Status, result.Offset));
        Assert.True(empty.WasReadToItsEnd);
        Assert.Equal(result.Version, (await GetAsync()).Version);
        Assert.Equal(Bytes(10), await ContentAsync());
        Assert.Equal(info.Record.Length, (await GetAsync()).Record.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(11)]
    [InlineData(long.MaxValue)]
    public async Task Law5_an_append_at_another_offset_is_refused_and_has_not_touched_the_content(long offset)
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        PipeContent content = PipeContent.Of(Bytes(5));
        AppendResult result = await StartAppend(offset, content).WaitAsync(Patience, Token);

        Assert.Equal(new AppendResult(AppendStatus.OffsetMismatch, 10, before.Version), result);
        Assert.Equal(0, content.Reads);
        Assert.Equal(Bytes(10), await ContentAsync());
    }

    [Fact]
    public async Task Law5_an_append_to_what_is_not_there_has_not_touched_the_content()
    {
        PipeContent content = PipeContent.Of(Bytes(5));
        AppendResult result = await StartAppend(0, content).WaitAsync(Patience, Token);
        Assert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), result);
        Assert.Equal(0, content.Reads);
        Assert.Null(await Store.GetAsync(Key, Token));
    }

    [Fact]
    public async Task Law5_an_accepted_append_reads_the_content_to_its_end_and_leaves_the_reader_open()
    {
        await CreateAsync();
        PipeContent content = PipeContent.Of(Bytes(200_000));
        await StartAppend(0, content).WaitAsync(Patience, Token);
        Assert.True(content.WasReadToItsEnd);
        Assert.False(content.WasCompletedByTheStore);
        Assert.Equal(0, content.TimesAsked);
    }

    [Fact]
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

        Assert.Equal(content.CommittedOffsets.Order(), content.CommittedOffsets);
        Assert.All(content.CommittedOffsets, reported => Assert.InRange(reported, 10, 500_010));
        foreach ((long reported, Task<UploadInfo?> seen) in reports)
        {
            Assert.InRange((await seen.WaitAsync(Patience, Token))!.Offset, reported, 500_010);
        }
    }
}

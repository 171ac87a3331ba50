using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for appends: results, offsets, concurrency and content.</content>
internal sealed partial class StoreCases
{
    [Case]
    public async Task Append_adds_the_bytes_and_returns_the_new_offset()
    {
        await CreateAsync();
        AppendResult first = await AppendAsync(0, Bytes(100, 1));
        AppendResult second = await AppendAsync(100, Bytes(50, 2));

        CaseAssert.Equal((AppendStatus.Appended, 100L), (first.Status, first.Offset));
        CaseAssert.Equal((AppendStatus.Appended, 150L), (second.Status, second.Offset));
        UploadInfo info = await GetAsync();
        CaseAssert.Equal(150, info.Offset);
        CaseAssert.Equal(second.Version, info.Version);
        CaseAssert.Equal(Concatenate(Bytes(100, 1), Bytes(50, 2)), await ReadContentAsync());
    }

    [Case]
    public async Task Law1_Concurrent_appends_at_one_offset_succeed_at_most_once()
    {
        byte[] expected = [];
        await CreateAsync();
        for (int round = 0; round < 10; round++)
        {
            int offset = expected.Length;
            AppendResult[] results = await RunConcurrentlyAsync(8, async i => await Store.AppendAsync(
                Key, offset, RecordingContent.FromBytes(Bytes(1000, (round * 8) + i)), AppendMode.KeepPartial, Token));

            (int Index, AppendResult)[] winners = [.. results.Index().Where(pair => pair.Item.Status == AppendStatus.Appended)];
            CaseAssert.All(results, result => CaseAssert.Contains(
                result.Status, new[] { AppendStatus.Appended, AppendStatus.OffsetMismatch, AppendStatus.Busy }));
            // A store may reject all of them.
            CaseAssert.InRange(winners.Length, 0, 1);
            expected = [.. expected, .. winners.SelectMany(winner => Bytes(1000, (round * 8) + winner.Index))];
            CaseAssert.Equal(expected, await ReadContentAsync());
        }
    }

    [Case]
    public async Task Append_whose_content_refuses_the_record_returns_Busy_and_changes_nothing()
    {
        await CreateAsync(record: new UploadRecord { Length = 20, Data = Bytes(7, 3) });
        CaseAssert.Equal(AppendStatus.Appended, (await AppendAsync(0, Bytes(10))).Status);
        UploadInfo before = await GetAsync();
        byte[] expected = Bytes(7, 3);
        var refusing = new RecordingContent { RecordDecision = record => record.Length != 20 || !record.Data.Span.SequenceEqual(expected) };
        refusing.Send(Bytes(10, 2));
        refusing.Complete();

        AppendResult refused = await StartAppend(10, refusing).WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal((AppendStatus.Busy, (string?)null), (refused.Status, refused.Version));
        CaseAssert.Equal(0, refusing.ReadCount);
        UploadInfo after = await GetAsync();
        CaseAssert.Equal((before.Version, before.Offset), (after.Version, after.Offset));
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());

        // The refused append holds no lock.
        AppendResult next = await AppendAsync(10, Bytes(10, 2));
        CaseAssert.Equal((AppendStatus.Appended, 20L), (next.Status, next.Offset));
    }

    [Case]
    public async Task Law1_Append_during_a_running_append_returns_Busy()
    {
        await CreateAsync();
        var appendContent = new RecordingContent();
        Task<AppendResult> append = StartAppend(0, appendContent);
        await appendContent.FirstReadTask.WaitAsync(CaseTimeout, Token);

        RecordingContent other = RecordingContent.FromBytes(Bytes(10, 2));
        CaseAssert.Equal(new AppendResult(AppendStatus.Busy, 0, null), await StartAppend(0, other).WaitAsync(CaseTimeout, Token));
        CaseAssert.Equal(0, other.ReadCount);

        appendContent.Send(Bytes(10));
        appendContent.Complete();
        CaseAssert.Equal(10, (await append.WaitAsync(CaseTimeout, Token)).Offset);
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case]
    public async Task Law2_Get_during_an_append_returns_no_more_than_was_sent()
    {
        await CreateWithContentAsync(Bytes(10));
        var appendContent = new RecordingContent();
        appendContent.Send(Bytes(5, 2));
        Task<AppendResult> append = StartAppend(10, appendContent);
        await appendContent.FirstReadTask.WaitAsync(CaseTimeout, Token);
        CaseAssert.InRange((await GetAsync()).Offset, 10, 15);

        appendContent.Complete();
        await append.WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(15, (await GetAsync()).Offset);
    }

    [Case]
    public async Task Law2_Append_beyond_the_record_length_succeeds()
    {
        await CreateAsync(record: new UploadRecord { Length = 5 });
        CaseAssert.Equal(10, (await AppendAsync(0, Bytes(10))).Offset);
    }

    [Case]
    public async Task Law3_Appends_of_many_sizes_produce_the_sent_content()
    {
        byte[] sent = Bytes(700_000);
        await CreateAsync();
        int offset = 0;
        foreach (int size in new[] { 1, 4095, 1, 4096, 4097, 16_384, 65_536, 65_535, 300_000, 3 })
        {
            AppendResult result = await AppendAsync(offset, sent.AsSpan(offset, size));
            offset += size;
            CaseAssert.Equal(offset, result.Offset);
        }

        CaseAssert.Equal(sent[..offset], await ReadContentAsync());
    }

    [Case]
    public async Task Law3_Append_of_many_segments_keeps_every_byte()
    {
        byte[] sent = Bytes(300_000);
        await CreateAsync();
        var content = new RecordingContent();
        Task<AppendResult> append = StartAppend(0, content);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        for (int offset = 0; offset < sent.Length; offset += 3000)
        {
            content.Send(sent.AsSpan(offset, 3000));
        }

        content.Complete();
        CaseAssert.Equal(sent.Length, (await append.WaitAsync(CaseTimeout, Token)).Offset);
        CaseAssert.Equal(sent, await ReadContentAsync());
    }

    [Case]
    public async Task Law3_Concurrent_appenders_produce_the_acknowledged_content()
    {
        await CreateAsync();
        List<(long Offset, byte[] Bytes)>[] acknowledged = await RunConcurrentlyAsync(6, async writer =>
        {
            var random = new Random(writer);
            List<(long, byte[])> appends = [];
            for (int attempt = 0; attempt < 40; attempt++)
            {
                long offset = (await GetAsync()).Offset;
                byte[] bytes = Bytes(random.Next(1, 9000), (writer * 1000) + attempt);
                AppendResult result = await Store.AppendAsync(Key, offset, RecordingContent.FromBytes(bytes), AppendMode.KeepPartial, Token);
                if (result.Status == AppendStatus.Appended)
                {
                    appends.Add((offset, bytes));
                }
            }

            return appends;
        });

        byte[] expected = [.. acknowledged.SelectMany(list => list).OrderBy(append => append.Offset).SelectMany(append => append.Bytes)];
        CaseAssert.NotEmpty(expected);
        CaseAssert.Equal(expected.Length, (await GetAsync()).Offset);
        CaseAssert.Equal(expected, await ReadContentAsync());
    }

    [Case]
    public async Task Law3_Append_result_is_unaffected_by_an_immediate_next_append()
    {
        const int Appends = 200;
        const int Writers = 2;
        await CreateAsync();
        AppendResult? wrong = null;
        await RunConcurrentlyAsync(Writers, async writer =>
        {
            for (int offset = writer; offset < Appends; offset += Writers)
            {
                AppendResult result;
                do
                {
                    result = await Store.AppendAsync(Key, offset, RecordingContent.FromBytes([(byte)offset]), AppendMode.KeepPartial, Token);
                }
                while (wrong is null && (result.Status == AppendStatus.Busy || (result.Status == AppendStatus.OffsetMismatch && result.Offset < offset)));

                wrong ??= (result.Status, result.Offset) == (AppendStatus.Appended, offset + 1) ? null : result;
            }

            return true;
        });

        CaseAssert.True(wrong is null, $"An append that another one followed immediately returned {wrong}.");
        CaseAssert.Equal([.. Enumerable.Range(0, Appends).Select(offset => (byte)offset)], await ReadContentAsync());
    }

    [Case]
    public async Task Law4_Append_of_truncated_content_keeps_the_received_bytes()
    {
        await CreateAsync(record: new UploadRecord { Length = 1_000_000 });
        var content = new RecordingContent { DeclaredLength = 1_000_000 };
        content.Send(Bytes(1234));
        content.Complete();
        AppendResult result = await StartAppend(0, content).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal((AppendStatus.Appended, 1234L), (result.Status, result.Offset));
        CaseAssert.Equal(1234, (await GetAsync()).Offset);
        CaseAssert.Equal(Bytes(1234), await ReadContentAsync());
        CaseAssert.Equal(1235, (await AppendAsync(1234, [7])).Offset);
        CaseAssert.Equal(Concatenate(Bytes(1234), [7]), await ReadContentAsync());
    }

    [Case]
    public async Task Law4_Append_of_empty_content_succeeds_and_adds_nothing()
    {
        UploadInfo info = await CreateWithContentAsync(Bytes(10));
        RecordingContent empty = RecordingContent.FromBytes([]);
        AppendResult result = await StartAppend(10, empty).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal((AppendStatus.Appended, 10L), (result.Status, result.Offset));
        CaseAssert.True(empty.WasReadToEnd);
        CaseAssert.Equal(result.Version, (await GetAsync()).Version);
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
        CaseAssert.Equal(info.Record.Length, (await GetAsync()).Record.Length);
    }

    [Case(0)]
    [Case(9)]
    [Case(11)]
    [Case(long.MaxValue)]
    public async Task Law5_Append_at_wrong_offset_is_rejected_before_reading(long offset)
    {
        UploadInfo before = await CreateWithContentAsync(Bytes(10));
        RecordingContent content = RecordingContent.FromBytes(Bytes(5));
        AppendResult result = await StartAppend(offset, content).WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal(new AppendResult(AppendStatus.OffsetMismatch, 10, before.Version), result);
        CaseAssert.Equal(0, content.ReadCount);
        CaseAssert.Equal(Bytes(10), await ReadContentAsync());
    }

    [Case]
    public async Task Law5_Append_to_missing_upload_is_rejected_before_reading()
    {
        RecordingContent content = RecordingContent.FromBytes(Bytes(5));
        AppendResult result = await StartAppend(0, content).WaitAsync(CaseTimeout, Token);
        CaseAssert.Equal(new AppendResult(AppendStatus.NotFound, 0, null), result);
        CaseAssert.Equal(0, content.ReadCount);
        CaseAssert.Null(await Store.GetAsync(Key, Token));
    }

    [Case]
    public async Task Law5_Accepted_append_reads_to_the_end_without_completing_the_reader()
    {
        await CreateAsync();
        RecordingContent content = RecordingContent.FromBytes(Bytes(200_000));
        await StartAppend(0, content).WaitAsync(CaseTimeout, Token);
        CaseAssert.True(content.WasReadToEnd);
        CaseAssert.False(content.WasCompletedByStore);
        CaseAssert.Equal(0, content.CommitQueryCount);
    }

    [Case]
    public async Task Law6_Reported_durable_offsets_increase_and_are_visible_to_get()
    {
        await CreateWithContentAsync(Bytes(10));
        List<(long Reported, Task<UploadInfo?> Seen)> reports = [];
        var content = new RecordingContent
        {
            OnDurableReported = reported => reports.Add((reported, Task.Run(async () => await Store.GetAsync(Key, Token), Token))),
        };
        Task<AppendResult> append = StartAppend(10, content);
        await content.FirstReadTask.WaitAsync(CaseTimeout, Token);
        for (int i = 0; i < 50; i++)
        {
            content.Send(Bytes(10_000, i));
        }

        content.Complete();
        await append.WaitAsync(CaseTimeout, Token);

        CaseAssert.Equal(content.ReportedOffsets.Order(), content.ReportedOffsets);
        CaseAssert.All(content.ReportedOffsets, reported => CaseAssert.InRange(reported, 10, 500_010));
        foreach ((long reported, Task<UploadInfo?> seen) in reports)
        {
            CaseAssert.InRange((await seen.WaitAsync(CaseTimeout, Token))!.Offset, reported, 500_010);
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.UnitTests.Engine.Content;

public sealed class GuardedReaderTests : IDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _pipe = new(new PipeOptions(useSynchronizationContext: false));
    private int _ended;
    private RequestBodyReader _reader;

    public GuardedReaderTests() => _reader = Guard();

    public void Dispose() => _reader.Dispose();

    [Fact]
    public async Task F9_a_whole_body_is_given_whole()
    {
        await SendAsync(1, 2, 3);
        ReadResult first = await _reader.ReadAsync();
        Assert.Equal([1, 2, 3], first.Buffer.ToArray());
        Assert.False(first.IsCompleted);
        _reader.AdvanceTo(first.Buffer.End);
        ValueTask<ReadResult> second = _reader.ReadAsync();
        Assert.False(second.IsCompleted);
        await SendAsync(4);
        ReadResult more = await second;
        Assert.Equal([4], more.Buffer.ToArray());
        _reader.AdvanceTo(more.Buffer.End);
        await _pipe.Writer.CompleteAsync();
        Assert.Empty(await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.EndOfBody, 4L, 0), (_reader.EndReason, _reader.ConsumedLength, _ended));
    }

    [Fact]
    public async Task F9_a_fault_is_an_end_and_bytes_that_were_seen_and_not_taken_are_still_given()
    {
        await SendAsync(1, 2, 3);
        ReadResult seen = await _reader.ReadAsync();
        _reader.AdvanceTo(seen.Buffer.GetPosition(1), seen.Buffer.End);
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        await _pipe.Writer.CompleteAsync(new IOException("reset"));
        Assert.Equal([2, 3], await TakeRestAsync(await waiting));
        Assert.Equal((BodyEndReason.Disconnected, 3L, 1), (_reader.EndReason, _reader.ConsumedLength, _ended));
    }

    [Fact]
    public async Task F9_a_fault_before_the_read_is_an_end_too()
    {
        await _pipe.Writer.CompleteAsync(new InvalidOperationException("bad chunk"));
        Assert.Empty(await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal(BodyEndReason.Disconnected, _reader.EndReason);
        Assert.True(_reader.TryRead(out ReadResult again) && again.IsCompleted);
    }

    [Fact]
    public async Task F9_after_all_was_taken_the_end_holds_on_to_no_memory_that_is_in_use_again()
    {
        await SendAsync(new byte[10_000]);
        ReadResult all = await _reader.ReadAsync();
        _reader.AdvanceTo(all.Buffer.End);
        await _pipe.Writer.CompleteAsync(new IOException("reset"));
        ReadResult last = await _reader.ReadAsync();
        int segments = 0;
        foreach (ReadOnlyMemory<byte> segment in last.Buffer)
        {
            Assert.True(segment.IsEmpty);
            segments++;
        }

        Assert.InRange(segments, 0, 1);
        _reader.AdvanceTo(last.Buffer.End);
        Assert.Equal((BodyEndReason.Disconnected, 10_000L), (_reader.EndReason, _reader.ConsumedLength));
    }

    [Theory]
    [InlineData("Preempted")]
    [InlineData("Shutdown")]
    [InlineData("IdleTimeout")]
    [InlineData("BelowMinDataRate")]
    public async Task F9_a_reader_that_waits_is_woken_when_it_is_to_leave(string name)
    {
        BodyEndReason endReason = Enum.Parse<BodyEndReason>(name);
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        _reader.RequestStop(endReason);
        Assert.Empty(await TakeRestAsync(await waiting));
        Assert.Equal((endReason, 1), (_reader.EndReason, _ended));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F9_who_is_to_leave_still_takes_what_is_there(bool byTryRead)
    {
        await SendAsync(1, 2);
        _reader.RequestStop(BodyEndReason.Preempted);
        ReadResult result = byTryRead ? (_reader.TryRead(out ReadResult there) ? there : default) : await _reader.ReadAsync();
        Assert.Equal([1, 2], await TakeRestAsync(result));
        Assert.Equal(BodyEndReason.Preempted, _reader.EndReason);
    }

    [Fact]
    public async Task F9_who_gathers_and_is_to_leave_loses_nothing()
    {
        await SendAsync(1, 2);
        ReadResult seen = await _reader.ReadAsync();
        _reader.AdvanceTo(seen.Buffer.Start, seen.Buffer.End);
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        _reader.RequestStop(BodyEndReason.Shutdown);
        Assert.Equal([1, 2], await TakeRestAsync(await waiting));
        Assert.Equal(2, _reader.ConsumedLength);
    }

    [Fact]
    public async Task The_first_reason_to_leave_counts_and_none_after_the_end()
    {
        _reader.RequestStop(BodyEndReason.Preempted);
        _reader.RequestStop(BodyEndReason.Shutdown);
        await TakeRestAsync(await _reader.ReadAsync());
        _reader.RequestStop(BodyEndReason.IdleTimeout);
        Assert.Equal((BodyEndReason.Preempted, 1), (_reader.EndReason, _ended));
    }

    [Fact]
    public async Task A_body_that_ended_whole_stays_whole_when_it_is_asked_to_leave()
    {
        await SendAsync(1);
        await _pipe.Writer.CompleteAsync();
        ReadResult result = await _reader.ReadAsync();
        _reader.RequestStop(BodyEndReason.Preempted);
        Assert.Equal([1], await TakeRestAsync(result));
        Assert.Equal((BodyEndReason.EndOfBody, 0), (_reader.EndReason, _ended));
    }

    [Fact]
    public async Task F5_more_than_there_is_room_for_is_cut_where_it_fits()
    {
        _reader = Guard(room: 3);
        await SendAsync(1, 2, 3, 4, 5);
        Assert.Equal([1, 2, 3], await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.LimitExceeded, 3L, 1), (_reader.EndReason, _reader.ConsumedLength, _ended));
    }

    [Fact]
    public async Task F5_what_fits_exactly_is_whole_and_one_byte_more_is_not()
    {
        _reader = Guard(room: 3);
        await SendAsync(1, 2, 3);
        ReadResult fits = await _reader.ReadAsync();
        _reader.AdvanceTo(fits.Buffer.End);
        Assert.Equal(BodyEndReason.NotEnded, _reader.EndReason);
        await SendAsync(4);
        Assert.Empty(await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal(BodyEndReason.LimitExceeded, _reader.EndReason);
    }

    [Fact]
    public async Task F5_what_fits_exactly_and_then_ends_is_whole()
    {
        _reader = Guard(room: 3);
        await SendAsync(1, 2, 3);
        await _pipe.Writer.CompleteAsync();
        Assert.Equal([1, 2, 3], await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal(BodyEndReason.EndOfBody, _reader.EndReason);
    }

    [Fact]
    public async Task A_wake_that_nobody_meant_is_no_end()
    {
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        _pipe.Reader.CancelPendingRead();
        Assert.False(waiting.IsCompleted);
        await SendAsync(1, 2);
        ReadResult result = await waiting;
        Assert.False(result.IsCanceled);
        _reader.AdvanceTo(result.Buffer.GetPosition(1));
        _pipe.Reader.CancelPendingRead();
        result = await _reader.ReadAsync();
        Assert.Equal([2], result.Buffer.ToArray());
        _reader.AdvanceTo(result.Buffer.End);
        Assert.Equal((BodyEndReason.NotEnded, 2L), (_reader.EndReason, _reader.ConsumedLength));
    }

    [Fact]
    public async Task F10_the_digest_is_of_what_was_taken_and_once()
    {
        byte[] hash = SHA256.HashData([1, 2, 3]);
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, hash)), null);
        _reader = Guard(digest: digest);
        await SendAsync(1, 2, 3);
        await _pipe.Writer.CompleteAsync();
        ReadResult result = await _reader.ReadAsync();
        _reader.AdvanceTo(result.Buffer.GetPosition(1), result.Buffer.End);
        await TakeRestAsync(await _reader.ReadAsync());
        Assert.True(digest.ContentDigestMatches);
    }

    [Fact]
    public async Task The_request_keeps_its_body_when_the_store_is_done()
    {
        _reader.Complete();
        _reader.Complete(new IOException());
        await SendAsync(7);
        Assert.True(_pipe.Reader.TryRead(out ReadResult result));
        Assert.Equal([7], result.Buffer.ToArray());
    }

    [Fact]
    public async Task Nothing_for_the_idle_timeout_is_the_end()
    {
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        for (int i = 0; i < 80; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Empty(await TakeRestAsync(await waiting));
        Assert.Equal(BodyEndReason.IdleTimeout, _reader.EndReason);
    }

    [Fact]
    public async Task A_store_that_gathers_a_large_block_does_not_make_a_client_too_slow()
    {
        // 1,000 bytes a second, ten times the lowest rate; the store waits for a block that takes twenty minutes to fill.
        for (int second = 0; second < 1200; second++)
        {
            await SendAsync(new byte[1000]);
            ReadResult result = await _reader.ReadAsync();
            Assert.False(result.IsCompleted, $"{_reader.EndReason} after {second} s");
            _reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            ValueTask<ReadResult> waiting = _reader.ReadAsync();
            _time.Advance(TimeSpan.FromSeconds(1));
            await SendAsync(1);
            result = await waiting;
            _reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }

        await _pipe.Writer.CompleteAsync();
        Assert.Equal(1200 * 1001, (await TakeRestAsync(await _reader.ReadAsync())).Length);
    }

    [Fact]
    public async Task F9_however_a_body_is_read_and_ends_what_was_sent_is_given_once_and_in_order()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var pipe = new Pipe(new PipeOptions(useSynchronizationContext: false, minimumSegmentSize: 16));
            using var reader = new RequestBodyReader(pipe.Reader, 1 << 20, null, _time, TestSettings.Default, static () => { });
            byte[] sent = new byte[random.Next(1, 500)];
            random.NextBytes(sent);
            int stopAt = random.Next(3) == 0 ? random.Next(sent.Length) : -1;
            Task sending = Task.Run(async () =>
            {
                for (int at = 0; at < sent.Length;)
                {
                    int count = Math.Min(random.Next(1, 60), sent.Length - at);
                    await pipe.Writer.WriteAsync(sent.AsMemory(at, count));
                    at += count;
                    if (stopAt >= 0 && at > stopAt)
                    {
                        reader.RequestStop(BodyEndReason.Preempted);
                        return;
                    }
                }

                await pipe.Writer.CompleteAsync();
            });
            var steps = new Random(seed + 10_000);
            var got = new List<byte>();
            ReadResult result;
            do
            {
                result = await reader.ReadAsync();
                ReadOnlySequence<byte> taken = result.IsCompleted ? result.Buffer : result.Buffer.Slice(0, steps.NextInt64(result.Buffer.Length + 1));
                got.AddRange(taken.ToArray());
                reader.AdvanceTo(taken.End, steps.Next(2) == 0 ? result.Buffer.End : taken.End);
            }
            while (!result.IsCompleted);
            await sending;
            Assert.Equal(sent.Take(got.Count), got);
            Assert.Equal(got.Count, reader.ConsumedLength);
            Assert.Equal(stopAt < 0 ? BodyEndReason.EndOfBody : BodyEndReason.Preempted, reader.EndReason);
            Assert.InRange(got.Count, stopAt < 0 ? sent.Length : stopAt + 1, sent.Length);
        }
    }

    [Fact]
    public async Task A_body_that_is_there_is_gathered_and_not_taken()
    {
        await SendAsync(1, 2, 3);
        Assert.Equal([1, 2, 3], (await _reader.TryBufferAsync(3, Moment))!.Value.ToArray());
        _reader.RequestStop(BodyEndReason.Preempted);
        ReadResult again = await _reader.ReadAsync();
        Assert.Equal([1, 2, 3], again.Buffer.ToArray());
        _reader.AdvanceTo(again.Buffer.End);
        Assert.Empty(await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.Preempted, 3L), (_reader.EndReason, _reader.ConsumedLength));
    }

    [Fact]
    public async Task A_body_is_waited_for_while_it_comes()
    {
        await SendAsync(1, 2);
        Task<ReadOnlySequence<byte>?> gathering = _reader.TryBufferAsync(4, Moment).AsTask();
        _time.Advance(Moment - TimeSpan.FromTicks(1));
        await SendAsync(3);
        Assert.False(gathering.IsCompleted);
        await SendAsync(4);
        Assert.Equal([1, 2, 3, 4], (await gathering)!.Value.ToArray());
    }

    [Fact]
    public async Task A_body_that_takes_longer_is_read_as_ever()
    {
        await SendAsync(1, 2);
        Task<ReadOnlySequence<byte>?> gathering = _reader.TryBufferAsync(4, Moment).AsTask();
        _time.Advance(Moment);
        Assert.Null(await gathering);
        Assert.Equal(BodyEndReason.NotEnded, _reader.EndReason);

        // What came can be read at once, and what follows when it comes.
        ReadResult first = await _reader.ReadAsync();
        Assert.Equal([1, 2], first.Buffer.ToArray());
        _reader.AdvanceTo(first.Buffer.End);
        Task<ReadResult> rest = _reader.ReadAsync().AsTask();
        Assert.False(rest.IsCompleted);
        await SendAsync(3, 4);
        await _pipe.Writer.CompleteAsync();
        ReadResult more = await rest;
        Assert.Equal([3, 4], more.Buffer.ToArray());
        _reader.AdvanceTo(more.Buffer.End);
        Assert.Empty(await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.EndOfBody, 4L), (_reader.EndReason, _reader.ConsumedLength));
    }

    [Theory]
    [InlineData(BodyEndReason.Preempted)]
    [InlineData(BodyEndReason.Shutdown)]
    public async Task Who_is_asked_to_leave_while_it_gathers_gives_what_came(object reason)
    {
        await SendAsync(1, 2);
        Task<ReadOnlySequence<byte>?> gathering = _reader.TryBufferAsync(4, Moment).AsTask();
        _reader.RequestStop((BodyEndReason)reason);
        Assert.Null(await gathering);
        Assert.Equal([1, 2], await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal(((BodyEndReason)reason, 2L), (_reader.EndReason, _reader.ConsumedLength));
    }

    [Fact]
    public async Task A_body_that_breaks_while_it_is_gathered_gives_what_came()
    {
        await SendAsync(1, 2);
        Task<ReadOnlySequence<byte>?> gathering = _reader.TryBufferAsync(4, Moment).AsTask();
        await _pipe.Writer.CompleteAsync(new IOException("reset"));
        Assert.Null(await gathering);
        Assert.Equal([1, 2], await TakeRestAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.Disconnected, 2L), (_reader.EndReason, _reader.ConsumedLength));
    }

    private RequestBodyReader Guard(long room = 1 << 30, IncrementalDigest? digest = null) =>
        new(_pipe.Reader, room, digest, _time, TestSettings.Default, () => _ended++);

    private async Task SendAsync(params byte[] bytes) => await _pipe.Writer.WriteAsync(bytes);

    /// <summary>Takes the last result and sees that nothing comes after it.</summary>
    private async Task<byte[]> TakeRestAsync(ReadResult result)
    {
        Assert.True(result.IsCompleted);
        Assert.False(result.IsCanceled);
        byte[] bytes = result.Buffer.ToArray();
        _reader.AdvanceTo(result.Buffer.End);
        ReadResult after = await _reader.ReadAsync();
        Assert.True(after.IsCompleted && after.Buffer.IsEmpty);
        return bytes;
    }
}

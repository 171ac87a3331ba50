using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.UnitTests.Engine.Content;

public sealed class RequestBodyReaderTests : IDisposable
{
    private static readonly TimeSpan BufferTimeout = TimeSpan.FromMilliseconds(200);
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _pipe = new(new PipeOptions(useSynchronizationContext: false));
    private int _endedEarlyCount;
    private RequestBodyReader _reader;

    public RequestBodyReaderTests() => _reader = CreateReader();

    public void Dispose() => _reader.Dispose();

    [Fact]
    public async Task ReadAsync_whole_body_returns_all_bytes()
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
        Assert.Empty(await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.EndOfBody, 4L, 0), (_reader.EndReason, _reader.ConsumedLength, _endedEarlyCount));
    }

    [Fact]
    public async Task ReadAsync_after_disconnect_returns_unconsumed_bytes_and_ends()
    {
        await SendAsync(1, 2, 3);
        ReadResult examined = await _reader.ReadAsync();
        _reader.AdvanceTo(examined.Buffer.GetPosition(1), examined.Buffer.End);
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        await _pipe.Writer.CompleteAsync(new IOException("reset"));
        Assert.Equal([2, 3], await ConsumeLastAsync(await waiting));
        Assert.Equal((BodyEndReason.Disconnected, 3L, 1), (_reader.EndReason, _reader.ConsumedLength, _endedEarlyCount));
    }

    [Fact]
    public async Task ReadAsync_when_inner_reader_throws_at_once_ends()
    {
        await _pipe.Writer.CompleteAsync(new InvalidOperationException("bad chunk"));
        Assert.Empty(await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal(BodyEndReason.Disconnected, _reader.EndReason);
        Assert.True(_reader.TryRead(out ReadResult again) && again.IsCompleted);
    }

    [Fact]
    public async Task ReadAsync_after_all_is_consumed_references_no_returned_memory()
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
    public async Task RequestStop_wakes_pending_read(string name)
    {
        BodyEndReason endReason = Enum.Parse<BodyEndReason>(name);
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        _reader.RequestStop(endReason);
        Assert.Empty(await ConsumeLastAsync(await waiting));
        Assert.Equal((endReason, 1), (_reader.EndReason, _endedEarlyCount));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_after_RequestStop_returns_bytes_that_already_arrived(bool byTryRead)
    {
        await SendAsync(1, 2);
        _reader.RequestStop(BodyEndReason.Preempted);
        ReadResult result = byTryRead ? (_reader.TryRead(out ReadResult available) ? available : default) : await _reader.ReadAsync();
        Assert.Equal([1, 2], await ConsumeLastAsync(result));
        Assert.Equal(BodyEndReason.Preempted, _reader.EndReason);
    }

    [Fact]
    public async Task RequestStop_returns_examined_but_unconsumed_bytes()
    {
        await SendAsync(1, 2);
        ReadResult examined = await _reader.ReadAsync();
        _reader.AdvanceTo(examined.Buffer.Start, examined.Buffer.End);
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        _reader.RequestStop(BodyEndReason.Shutdown);
        Assert.Equal([1, 2], await ConsumeLastAsync(await waiting));
        Assert.Equal(2, _reader.ConsumedLength);
    }

    [Fact]
    public async Task RequestStop_keeps_the_first_reason()
    {
        _reader.RequestStop(BodyEndReason.Preempted);
        _reader.RequestStop(BodyEndReason.Shutdown);
        await ConsumeLastAsync(await _reader.ReadAsync());
        _reader.RequestStop(BodyEndReason.IdleTimeout);
        Assert.Equal((BodyEndReason.Preempted, 1), (_reader.EndReason, _endedEarlyCount));
    }

    [Fact]
    public async Task RequestStop_after_end_of_body_keeps_EndOfBody()
    {
        await SendAsync(1);
        await _pipe.Writer.CompleteAsync();
        ReadResult result = await _reader.ReadAsync();
        _reader.RequestStop(BodyEndReason.Preempted);
        Assert.Equal([1], await ConsumeLastAsync(result));
        Assert.Equal((BodyEndReason.EndOfBody, 0), (_reader.EndReason, _endedEarlyCount));
    }

    [Fact]
    public async Task ReadAsync_beyond_max_length_truncates_and_ends()
    {
        _reader = CreateReader(maxLength: 3);
        await SendAsync(1, 2, 3, 4, 5);
        Assert.Equal([1, 2, 3], await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.LimitExceeded, 3L, 1), (_reader.EndReason, _reader.ConsumedLength, _endedEarlyCount));
    }

    [Fact]
    public async Task ReadAsync_one_byte_beyond_max_length_ends_with_LimitExceeded()
    {
        _reader = CreateReader(maxLength: 3);
        await SendAsync(1, 2, 3);
        ReadResult fits = await _reader.ReadAsync();
        _reader.AdvanceTo(fits.Buffer.End);
        Assert.Equal(BodyEndReason.NotEnded, _reader.EndReason);
        await SendAsync(4);
        Assert.Empty(await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal(BodyEndReason.LimitExceeded, _reader.EndReason);
    }

    [Fact]
    public async Task ReadAsync_body_of_exactly_max_length_ends_with_EndOfBody()
    {
        _reader = CreateReader(maxLength: 3);
        await SendAsync(1, 2, 3);
        await _pipe.Writer.CompleteAsync();
        Assert.Equal([1, 2, 3], await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal(BodyEndReason.EndOfBody, _reader.EndReason);
    }

    [Fact]
    public async Task ReadAsync_canceled_by_the_server_reads_again()
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
    public async Task Digest_covers_each_byte_once_after_partial_consumption()
    {
        byte[] hash = SHA256.HashData([1, 2, 3]);
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, hash)), null);
        _reader = CreateReader(digest: digest);
        await SendAsync(1, 2, 3);
        await _pipe.Writer.CompleteAsync();
        ReadResult result = await _reader.ReadAsync();
        _reader.AdvanceTo(result.Buffer.GetPosition(1), result.Buffer.End);
        await ConsumeLastAsync(await _reader.ReadAsync());
        Assert.True(digest.ContentDigestMatches);
    }

    [Fact]
    public async Task Complete_does_not_complete_the_request_body()
    {
        _reader.Complete();
        _reader.Complete(new IOException());
        await SendAsync(7);
        Assert.True(_pipe.Reader.TryRead(out ReadResult result));
        Assert.Equal([7], result.Buffer.ToArray());
    }

    [Fact]
    public async Task ReadAsync_without_bytes_for_the_idle_timeout_ends()
    {
        ValueTask<ReadResult> waiting = _reader.ReadAsync();
        for (int i = 0; i < 80; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Empty(await ConsumeLastAsync(await waiting));
        Assert.Equal(BodyEndReason.IdleTimeout, _reader.EndReason);
    }

    [Fact]
    public async Task Store_that_gathers_a_large_block_does_not_violate_min_data_rate()
    {
        // 1,000 bytes per second, ten times the minimum; the store waits for a block that takes 20 minutes to fill.
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
        Assert.Equal(1200 * 1001, (await ConsumeLastAsync(await _reader.ReadAsync())).Length);
    }

    [Fact]
    public async Task ReadAsync_random_reads_and_stops_return_each_byte_once_in_order()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var pipe = new Pipe(new PipeOptions(useSynchronizationContext: false, minimumSegmentSize: 16));
            using var reader = new RequestBodyReader(pipe.Reader, 1 << 20, null, _time, TestSettings.Default, static () => { });
            byte[] content = new byte[random.Next(1, 500)];
            random.NextBytes(content);
            int stopAt = random.Next(3) == 0 ? random.Next(content.Length) : -1;
            Task sending = Task.Run(async () =>
            {
                for (int at = 0; at < content.Length;)
                {
                    int count = Math.Min(random.Next(1, 60), content.Length - at);
                    await pipe.Writer.WriteAsync(content.AsMemory(at, count));
                    at += count;
                    if (stopAt >= 0 && at > stopAt)
                    {
                        reader.RequestStop(BodyEndReason.Preempted);
                        return;
                    }
                }

                await pipe.Writer.CompleteAsync();
            });
            var consumption = new Random(seed + 10_000);
            var received = new List<byte>();
            ReadResult result;
            do
            {
                result = await reader.ReadAsync();
                ReadOnlySequence<byte> consumed = result.IsCompleted ? result.Buffer : result.Buffer.Slice(0, consumption.NextInt64(result.Buffer.Length + 1));
                received.AddRange(consumed.ToArray());
                reader.AdvanceTo(consumed.End, consumption.Next(2) == 0 ? result.Buffer.End : consumed.End);
            }
            while (!result.IsCompleted);
            await sending;
            Assert.Equal(content.Take(received.Count), received);
            Assert.Equal(received.Count, reader.ConsumedLength);
            Assert.Equal(stopAt < 0 ? BodyEndReason.EndOfBody : BodyEndReason.Preempted, reader.EndReason);
            Assert.InRange(received.Count, stopAt < 0 ? content.Length : stopAt + 1, content.Length);
        }
    }

    [Fact]
    public async Task TryBufferAsync_returns_body_without_consuming_it()
    {
        await SendAsync(1, 2, 3);
        Assert.Equal([1, 2, 3], (await _reader.TryBufferAsync(3, BufferTimeout))!.Value.ToArray());
        _reader.RequestStop(BodyEndReason.Preempted);
        ReadResult again = await _reader.ReadAsync();
        Assert.Equal([1, 2, 3], again.Buffer.ToArray());
        _reader.AdvanceTo(again.Buffer.End);
        Assert.Empty(await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.Preempted, 3L), (_reader.EndReason, _reader.ConsumedLength));
    }

    [Fact]
    public async Task TryBufferAsync_waits_for_the_rest_of_the_body()
    {
        await SendAsync(1, 2);
        Task<ReadOnlySequence<byte>?> buffering = _reader.TryBufferAsync(4, BufferTimeout).AsTask();
        _time.Advance(BufferTimeout - TimeSpan.FromTicks(1));
        await SendAsync(3);
        Assert.False(buffering.IsCompleted);
        await SendAsync(4);
        Assert.Equal([1, 2, 3, 4], (await buffering)!.Value.ToArray());
    }

    [Fact]
    public async Task TryBufferAsync_after_timeout_returns_null_and_body_can_be_read()
    {
        await SendAsync(1, 2);
        Task<ReadOnlySequence<byte>?> buffering = _reader.TryBufferAsync(4, BufferTimeout).AsTask();
        _time.Advance(BufferTimeout);
        Assert.Null(await buffering);
        Assert.Equal(BodyEndReason.NotEnded, _reader.EndReason);

        // The bytes so far can be read immediately, the rest when it arrives.
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
        Assert.Empty(await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.EndOfBody, 4L), (_reader.EndReason, _reader.ConsumedLength));
    }

    [Theory]
    [InlineData(BodyEndReason.Preempted)]
    [InlineData(BodyEndReason.Shutdown)]
    public async Task RequestStop_during_TryBufferAsync_keeps_received_bytes(object reason)
    {
        await SendAsync(1, 2);
        Task<ReadOnlySequence<byte>?> buffering = _reader.TryBufferAsync(4, BufferTimeout).AsTask();
        _reader.RequestStop((BodyEndReason)reason);
        Assert.Null(await buffering);
        Assert.Equal([1, 2], await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal(((BodyEndReason)reason, 2L), (_reader.EndReason, _reader.ConsumedLength));
    }

    [Fact]
    public async Task Disconnect_during_TryBufferAsync_keeps_received_bytes()
    {
        await SendAsync(1, 2);
        Task<ReadOnlySequence<byte>?> buffering = _reader.TryBufferAsync(4, BufferTimeout).AsTask();
        await _pipe.Writer.CompleteAsync(new IOException("reset"));
        Assert.Null(await buffering);
        Assert.Equal([1, 2], await ConsumeLastAsync(await _reader.ReadAsync()));
        Assert.Equal((BodyEndReason.Disconnected, 2L), (_reader.EndReason, _reader.ConsumedLength));
    }

    private RequestBodyReader CreateReader(long maxLength = 1 << 30, IncrementalDigest? digest = null) =>
        new(_pipe.Reader, maxLength, digest, _time, TestSettings.Default, () => _endedEarlyCount++);

    private async Task SendAsync(params byte[] bytes) => await _pipe.Writer.WriteAsync(bytes);

    /// <summary>Consumes the last result and asserts that no bytes follow.</summary>
    private async Task<byte[]> ConsumeLastAsync(ReadResult result)
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

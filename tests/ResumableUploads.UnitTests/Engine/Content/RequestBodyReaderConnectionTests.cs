using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.UnitTests.Engine.Content;

/// <summary>The bytes that a server has received and does not return, because the client closed the connection within the body.</summary>
public sealed class RequestBodyReaderConnectionTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _body = new(new PipeOptions(useSynchronizationContext: false));
    private readonly Pipe _connection = new(new PipeOptions(useSynchronizationContext: false));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rest_of_closed_connection_is_read_after_failure(bool byTryRead)
    {
        using RequestBodyReader reader = CreateReader();
        await _body.Writer.WriteAsync(new byte[] { 1, 2 });
        ReadResult first = await reader.ReadAsync();
        reader.AdvanceTo(first.Buffer.End);
        await CloseAsync(3, 4, 5);
        ReadResult rest = byTryRead && reader.TryRead(out ReadResult available) ? available : await reader.ReadAsync();
        Assert.Equal([3, 4, 5], ConsumeLast(reader, rest));
        Assert.Equal((BodyEndReason.Disconnected, 5L), (reader.EndReason, reader.ConsumedLength));
        Assert.True(reader.TryRead(out ReadResult after) && after is { IsCompleted: true, Buffer.IsEmpty: true });
    }

    [Fact]
    public async Task Rest_is_read_if_another_request_has_preempted_the_append()
    {
        using RequestBodyReader reader = CreateReader();
        await CloseAsync(1, 2);
        reader.RequestStop(BodyEndReason.Preempted);
        Assert.Equal([1, 2], ConsumeLast(reader, await reader.ReadAsync()));
        Assert.Equal(BodyEndReason.Preempted, reader.EndReason);
    }

    [Fact]
    public async Task Rest_that_completes_the_body_ends_with_EndOfBody_and_later_bytes_are_left()
    {
        using RequestBodyReader reader = CreateReader(bodyLength: 3);
        await CloseAsync(1, 2, 3, 4);
        Assert.Equal([1, 2, 3], ConsumeLast(reader, await reader.ReadAsync()));
        Assert.Equal(BodyEndReason.EndOfBody, reader.EndReason);
        Assert.True(_connection.Reader.TryRead(out ReadResult left));
        Assert.Equal([4], left.Buffer.ToArray());
    }

    [Fact]
    public async Task Rest_is_hashed()
    {
        using var digest = new IncrementalDigest(BodyDigest.From(new Digest(DigestAlgorithm.Sha256, SHA256.HashData([1, 2, 3]))), null);
        using RequestBodyReader reader = CreateReader(bodyLength: 3, digest: digest);
        await CloseAsync(1, 2, 3);
        ConsumeLast(reader, await reader.ReadAsync());
        Assert.True(digest.ContentDigestMatches);
    }

    [Fact]
    public async Task Rest_beyond_max_length_is_truncated()
    {
        using RequestBodyReader reader = CreateReader(maxLength: 2);
        await CloseAsync(1, 2, 3);
        Assert.Equal([1, 2], ConsumeLast(reader, await reader.ReadAsync()));
        Assert.Equal(BodyEndReason.LimitExceeded, reader.EndReason);
    }

    [Fact]
    public async Task Rest_consumed_in_parts_is_returned_once()
    {
        using RequestBodyReader reader = CreateReader();
        await CloseAsync(1, 2, 3);
        ReadResult result = await reader.ReadAsync();
        reader.AdvanceTo(result.Buffer.GetPosition(1), result.Buffer.End);
        Assert.Equal([2, 3], ConsumeLast(reader, await reader.ReadAsync()));
        Assert.Equal(3, reader.ConsumedLength);
    }

    [Fact]
    public async Task Open_connection_is_left_to_the_server()
    {
        using RequestBodyReader reader = CreateReader();
        await _connection.Writer.WriteAsync(new byte[] { 1, 2 });
        await _body.Writer.CompleteAsync(new IOException("timeout"));
        Assert.Empty(ConsumeLast(reader, await reader.ReadAsync()));
        Assert.Equal(BodyEndReason.Disconnected, reader.EndReason);
        Assert.True(_connection.Reader.TryRead(out ReadResult left));
        Assert.Equal([1, 2], left.Buffer.ToArray());
    }

    [Fact]
    public async Task Reset_connection_ends_body_without_exception()
    {
        using RequestBodyReader reader = CreateReader();
        await _connection.Writer.WriteAsync(new byte[] { 1, 2 });
        await _connection.Writer.CompleteAsync(new IOException("reset"));
        await _body.Writer.CompleteAsync(new IOException("reset"));
        Assert.Empty(ConsumeLast(reader, await reader.ReadAsync()));
        Assert.Equal(BodyEndReason.Disconnected, reader.EndReason);
    }

    [Fact]
    public async Task Connection_of_aborted_request_is_not_read()
    {
        using RequestBodyReader reader = CreateReader();
        await _connection.Writer.WriteAsync(new byte[] { 1, 2 });
        await _connection.Writer.CompleteAsync();
        await _body.Writer.CompleteAsync(new OperationCanceledException());
        Assert.Empty(ConsumeLast(reader, await reader.ReadAsync()));
    }

    private static byte[] ConsumeLast(RequestBodyReader reader, ReadResult result)
    {
        Assert.True(result.IsCompleted);
        byte[] bytes = result.Buffer.ToArray();
        reader.AdvanceTo(result.Buffer.End);
        return bytes;
    }

    private RequestBodyReader CreateReader(long maxLength = 1 << 30, long bodyLength = 1 << 20, IncrementalDigest? digest = null) =>
        new(_body.Reader, maxLength, digest, _time, TestSettings.Default, static () => { }) { Connection = _connection.Reader, BodyLength = bodyLength };

    /// <summary>Closes the connection within the body, with bytes that the server has received and the body does not return.</summary>
    private async Task CloseAsync(params byte[] bytes)
    {
        await _connection.Writer.WriteAsync(bytes);
        await _connection.Writer.CompleteAsync();
        await _body.Writer.CompleteAsync(new IOException("Unexpected end of request content."));
    }
}

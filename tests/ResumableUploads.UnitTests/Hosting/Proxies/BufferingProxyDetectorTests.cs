using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Content;
using ResumableUploads.Hosting.Proxies;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Proxies;

public sealed class BufferingProxyDetectorTests : IDisposable
{
    private const int MiB = 1024 * 1024;
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly BufferingProxyDetector _detector;

    public BufferingProxyDetectorTests() => _detector = new BufferingProxyDetector(_time, _log.CreateLogger("ResumableUploads"));

    [Fact]
    public void Eight_fast_bodies_in_a_row_are_logged_once()
    {
        Receive(7);
        Assert.Empty(_log.Lines);
        Receive(1);
        Receive(20);
        Assert.Contains("[363]", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Slow_body_restarts_the_count()
    {
        Receive(7);
        Receive(1, milliseconds: 21, length: 2 * MiB);
        Receive(7);
        Assert.Empty(_log.Lines);
        Receive(1, milliseconds: 19, length: 2 * MiB);
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void Interrupted_body_restarts_the_count()
    {
        Receive(7);
        Receive(1, reason: BodyEndReason.Disconnected);
        Receive(7);
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData(MiB - 1, "HTTP/1.1", "Via")]
    [InlineData(null, "HTTP/1.1", "Via")]
    [InlineData(MiB, "HTTP/1.1", null)]
    [InlineData(MiB, "HTTP/2", null)]
    public void Short_bodies_and_those_of_direct_connections_do_not_count(int? length, string protocol, string? header)
    {
        AppendCommand command = CreateCommand(length);
        for (int i = 0; i < 20; i++)
        {
            Assert.Same(command, _detector.Watch(CreateRequest(protocol, header), command));
        }
    }

    [Theory]
    [InlineData("HTTP/1.1", "X-Forwarded-For")]
    [InlineData("HTTP/2", "Forwarded")]
    [InlineData("HTTP/1.0", null)]
    public void Bodies_that_came_through_a_proxy_count(string protocol, string? header)
    {
        Receive(8, protocol: protocol, header: header);
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void Nothing_is_measured_after_the_message()
    {
        Receive(8);
        AppendCommand command = CreateCommand(MiB);
        Assert.Same(command, _detector.Watch(CreateRequest("HTTP/1.1", "Via"), command));
    }

    public void Dispose() => _log.Dispose();

    private void Receive(
        int count, int milliseconds = 0, int length = MiB, BodyEndReason reason = BodyEndReason.EndOfBody, string protocol = "HTTP/1.1", string? header = "Via")
    {
        for (int i = 0; i < count; i++)
        {
            AppendCommand command = _detector.Watch(CreateRequest(protocol, header), CreateCommand(length));
            _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            command.OnBodyEnded?.Invoke(reason);
        }
    }

    private static HttpRequest CreateRequest(string protocol, string? header)
    {
        HttpRequest request = new DefaultHttpContext().Request;
        request.Protocol = protocol;
        if (header is not null)
        {
            request.Headers[header] = "1.1 proxy";
        }

        return request;
    }

    private static AppendCommand CreateCommand(int? length) => new()
    {
        Key = new UploadKey("owner", "id"),
        Offset = 0,
        Body = PipeReader.Create(ReadOnlySequence<byte>.Empty),
        BodyLength = length,
        CompletionRule = CompletionRule.AtLength,
    };
}

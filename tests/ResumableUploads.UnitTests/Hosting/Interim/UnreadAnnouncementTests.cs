using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Interim;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Hosting.Interim;

/// <summary>A client that does not read the interim response that announces its upload.</summary>
public class UnreadAnnouncementTests
{
    [Fact]
    public async Task Announcement_that_the_client_does_not_read_aborts_the_connection()
    {
        var time = new FakeTimeProvider();
        var connection = new FullConnection();
        var lifetime = new RequestLifetime();
        var context = new DefaultHttpContext { Request = { Protocol = "HTTP/1.1" } };
        context.Features.Set<IConnectionTransportFeature>(connection);
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        var options = new ResumableUploadOptions { Ietf = { InterimResponses = InterimResponses.Always } };
        var responses = new IetfResponses(IetfVersion.Latest, isAnnounced: true, new IetfLimits(100), TimeSpan.FromDays(7), time);
        InterimResponseReporter reporter = InterimResponseReporter.TryCreate(context, responses, "/upload/1", options, time)!;
        Task announced = reporter.OnCreatedAsync(new UploadInfo { Key = new UploadKey("owner", "id"), Record = new UploadRecord(), Version = "1", Offset = 0, LastModified = time.GetUtcNow() }).AsTask();
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(announced.IsCompleted);
        Assert.False(lifetime.IsAborted);
        await Eventually.TrueAsync(() => announced.IsCompleted, "the announcement is given up", () => time.Advance(TimeSpan.FromSeconds(1)));
        await announced;
        Assert.True(lifetime.IsAborted);
    }

    /// <summary>A connection whose output waits for a client that does not read.</summary>
    private sealed class FullConnection : IConnectionTransportFeature, IDuplexPipe
    {
        private readonly Pipe _output = new(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));

        public IDuplexPipe Transport { get => this; set => throw new NotSupportedException(); }

        public PipeReader Input { get; } = new Pipe().Reader;

        public PipeWriter Output => _output.Writer;
    }

    private sealed class RequestLifetime : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; }

        public bool IsAborted { get; private set; }

        public void Abort() => IsAborted = true;
    }
}

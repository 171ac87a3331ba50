using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.ProgressEvents;

/// <summary>Uploads that are followed while another connection sends their bytes.</summary>
public class FollowUploadTests
{
    private const int Size = 100_000;
    private const string Url = "/upload?file-id=f";

    [Fact]
    public async Task Append_continues_while_its_upload_is_followed()
    {
        await using TestApp app = await StartAsync();
        await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.ContentLength, app.Address, "f", 0, Size, Size);
        await sender.SendAsync(new byte[1000]);
        await WaitForUploadAsync(app);
        using Follower follower = await Follower.OpenAsync(app.Client, Url);
        Assert.Equal(
            ("text/event-stream", "no-store", "no"),
            (follower.Response.Content.Headers.ContentType?.MediaType, follower.Response.Header("Cache-Control"), follower.Response.Header("X-Accel-Buffering")));

        long sent = 1000;
        for (int i = 0; i < 5; i++)
        {
            ReceivedEvent progress = await follower.ReadUntilAsync(received => received.Offset == sent);
            Assert.Equal(("progress", "receiving", false, Size), (progress.Name, progress.State, progress.IsComplete, progress.Data.GetProperty("length").GetInt64()));
            await sender.SendAsync(new byte[1000]);
            sent += 1000;
        }

        await sender.SendAsync(new byte[Size - sent]);
        ReceivedEvent last = await follower.ReadUntilAsync(static received => received.Name == "completed");
        Assert.Equal((Size, "completed", true), (last.Offset, last.State, last.IsComplete));
        Assert.Null(await follower.ReadAsync());
        Assert.Equal(200, (await sender.ReadResponseAsync())?.Status);
    }

    [Fact]
    public async Task Upload_that_another_node_receives_is_followed()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            // With this durability, a read during an append compares the file with its record.
            await using TestApp receiver = await StartAsync(static options => options.FileSystem.Durability = Durability.PowerLoss, directory);
            await using TestApp other = await StartAsync(static options => options.FileSystem.Durability = Durability.PowerLoss, directory);
            await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.ContentLength, receiver.Address, "f", 0, Size, Size);
            await sender.SendAsync(new byte[1000]);
            await WaitForUploadAsync(receiver);
            using Follower follower = await Follower.OpenAsync(other.Client, Url);

            await follower.ReadUntilAsync(static received => received.Offset == 1000);
            await sender.SendAsync(new byte[Size - 1000]);
            await follower.ReadUntilAsync(static received => received.Name == "completed");
            Assert.Equal(200, (await sender.ReadResponseAsync())?.Status);
        }
        finally
        {
            await TemporaryDirectory.DeleteAsync(directory);
        }
    }

    [Theory]
    [MemberData(nameof(ProtocolClient.Protocols), MemberType = typeof(ProtocolClient))]
    public async Task Upload_of_each_protocol_is_followed_at_its_URL(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, "/upload", new byte[1000], 2000);
        string followed = protocol == ProtocolClient.FileId ? Url : url;
        using Follower follower = await Follower.OpenAsync(app.Client, followed);
        Assert.Equal(1000, (await follower.ReadAsync())?.Offset);

        using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 1000, new byte[1000]);
        Assert.True(finished.IsSuccessStatusCode);
        ReceivedEvent last = await follower.ReadUntilAsync(static received => received.Name == "completed");

        // EventSource connects again after the last event. The status 204 ends that.
        using Follower again = await Follower.OpenAsync(app.Client, followed, ("Last-Event-ID", last.Id));
        Assert.Equal(HttpStatusCode.NoContent, again.Status);
    }

    [Theory]
    [MemberData(nameof(ProtocolClient.Protocols), MemberType = typeof(ProtocolClient))]
    public async Task Upload_of_another_owner_returns_the_404_of_a_missing_one(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, "/upload", new byte[1000], 2000);
        string existing = protocol == ProtocolClient.FileId ? Url : url;
        string missing = protocol == ProtocolClient.FileId ? Url + "2" : url[..^1] + (url[^1] == 'a' ? 'b' : 'a');
        using Follower other = await Follower.OpenAsync(app.Client, existing, ("X-Owner", "other"));
        using Follower none = await Follower.OpenAsync(app.Client, missing, ("X-Owner", "other"));

        Assert.Equal(HttpStatusCode.NotFound, other.Status);
        Assert.Equal(await DescribeAsync(none), await DescribeAsync(other));

        static async Task<string> DescribeAsync(Follower follower)
        {
            var headers = follower.Response.Headers.Concat(follower.Response.Content.Headers).Where(static header => header.Key != "Date");
            string lines = string.Join('\n', headers.Select(static header => $"{header.Key}: {string.Join(',', header.Value)}").Order(StringComparer.Ordinal));
            return $"{follower.Status}\n{lines}\n{await follower.Response.Content.ReadAsStringAsync()}";
        }
    }

    [Fact]
    public async Task Upload_that_is_removed_ends_the_events_with_gone()
    {
        await using TestApp app = await StartAsync();
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000);
        using Follower follower = await Follower.OpenAsync(app.Client, Url);
        await follower.ReadAsync();
        using HttpResponseMessage deleted = await app.Client.DeleteUploadAsync("f");

        ReceivedEvent last = await follower.ReadUntilAsync(static received => received.Name == "gone");
        Assert.Equal(("gone", 1000), (last.State, last.Offset));
        Assert.Null(await follower.ReadAsync());
    }

    [Fact]
    public async Task Upload_whose_handler_gives_up_ends_the_events()
    {
        await using TestApp app = await StartAsync(static options =>
        {
            options.Handler.MaxAttempts = 1;
            options.OnCompleted = static (_, _) => throw new InvalidOperationException("expected");
        });
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000);
        using Follower follower = await Follower.OpenAsync(app.Client, Url);
        using HttpResponseMessage finished = await app.Client.FinishAsync(ProtocolClient.FileId, "/upload", 1000, new byte[1000]);

        ReceivedEvent last = await follower.ReadUntilAsync(static received => received.Name == "dead-lettered");
        Assert.Equal(("dead-lettered", true), (last.State, last.IsComplete));
    }

    [Fact]
    public async Task Endpoint_of_the_app_is_followed_with_the_header()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app => app.MapPost("/import", static () => "done").WithResumableUploads(), static options => options.ProgressEvents = true);
        await app.Client.BeginAsync(ProtocolClient.FileId, "/import", new byte[1000], 2000);
        using Follower follower = await Follower.OpenAsync(app.Client, "/import", ("X-File-Id", "f"));
        Assert.Equal(1000, (await follower.ReadAsync())?.Offset);
    }

    [Theory]
    [InlineData(true, "application/json, */*")]
    [InlineData(true, "text/event-stream;q=0")]
    [InlineData(false, "text/event-stream")]
    public async Task Request_that_does_not_follow_returns_the_status(bool isEnabled, string accept)
    {
        await using TestApp app = await StartAsync(options => options.ProgressEvents = isEnabled);
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000);
        using HttpResponseMessage response = await app.Client.SendFileIdAsync("GET", "/upload", null, ("Accept", accept));
        Assert.Equal("1000", await response.Content.ReadAsStringAsync());

        using var withoutHeader = new HttpRequestMessage(HttpMethod.Get, Url);
        withoutHeader.Headers.TryAddWithoutValidation("Accept", accept);
        using HttpResponseMessage bad = await app.Client.SendAsync(withoutHeader);
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
    }

    [Fact]
    public async Task Progress_event_has_the_user_of_its_request()
    {
        IHttpContextAccessor? accessor = null;
        var seen = new TaskCompletionSource<string?>();
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                accessor = app.Services.GetRequiredService<IHttpContextAccessor>();
                app.UseAuthentication();
                app.UseResumableUploads();
            },
            options => options.OnProgress = (_, _) =>
            {
                seen.TrySetResult(accessor!.HttpContext?.User.FindFirst("sub")?.Value);
                return Task.CompletedTask;
            },
            static builder =>
            {
                HeaderAuthentication.AddTo(builder);
                builder.Services.AddHttpContextAccessor();
            });
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000, (HeaderAuthentication.Header, "sub:1"));
        Assert.Equal("1", await Eventually.WithinAsync(seen.Task));
    }

    [Theory]
    [MemberData(nameof(ProtocolClient.Protocols), MemberType = typeof(ProtocolClient))]
    public async Task HEAD_request_for_an_event_stream_returns_the_status(string protocol)
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.BeginAsync(protocol, "/upload", new byte[1000], 2000);
        (int status, string? offset) = await app.Client.GetOffsetAsync(protocol, url, ("Accept", "text/event-stream"));
        Assert.Equal((true, "1000"), (status is 200 or 204, offset));
    }

    [Fact]
    public async Task Status_URL_is_followed_with_the_header_and_not_with_the_query()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options => options.ProgressEvents = true, after: static app => app.MapGet("/status", static () => "the app's own"));
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000);

        using Follower follower = await Follower.OpenAsync(app.Client, "/status", ("X-File-Id", "f"));
        Assert.Equal(1000, (await follower.ReadAsync())?.Offset);
        using Follower own = await Follower.OpenAsync(app.Client, "/status?file-id=f");
        Assert.Equal("the app's own", await own.Response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Uploads_are_followed_over_one_HTTP_2_connection()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options => options.ProgressEvents = true, protocols: HttpProtocols.Http1AndHttp2, listen: static listen => listen.UseHttps(TestCertificate.Instance));
        (app.Client.DefaultRequestVersion, app.Client.DefaultVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 2000);
        using Follower first = await Follower.OpenAsync(app.Client, Url);
        using Follower second = await Follower.OpenAsync(app.Client, Url);
        Assert.Equal((HttpVersion.Version20, 1000, 1000), (first.Response.Version, (await first.ReadAsync())?.Offset, (await second.ReadAsync())?.Offset));

        using HttpResponseMessage finished = await app.Client.FinishAsync(ProtocolClient.FileId, "/upload", 1000, new byte[1000]);
        await first.ReadUntilAsync(static received => received.Name == "completed");
        await second.ReadUntilAsync(static received => received.Name == "completed");
        Assert.Null(await second.ReadAsync());
    }

    [Fact]
    public async Task Completed_upload_returns_its_last_event_to_a_client_without_it()
    {
        await using TestApp app = await StartAsync();
        await app.Client.BeginAsync(ProtocolClient.FileId, "/upload", new byte[1000], 1000);
        foreach ((string, string)[] headers in ((string, string)[][])[[], [("Last-Event-ID", "receiving-500")]])
        {
            using Follower follower = await Follower.OpenAsync(app.Client, Url, headers);
            ReceivedEvent? only = await follower.ReadAsync();
            Assert.Equal(("completed", 1000), (only?.Name, only?.Offset));
            Assert.Null(await follower.ReadAsync());
        }
    }

    [Fact]
    public async Task Part_of_a_concatenation_is_completed_with_its_last_byte()
    {
        await using TestApp app = await StartAsync();
        string url = await app.Client.CreateAsync("/upload", 3, ("Upload-Concat", "partial"));
        using Follower follower = await Follower.OpenAsync(app.Client, url);
        Assert.Equal("receiving", (await follower.ReadAsync())?.State);

        using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 0, [1, 2, 3]);
        ReceivedEvent end = await follower.ReadUntilAsync(static received => received.Name == "completed");
        Assert.Equal((3, true), (end.Offset, end.IsComplete));
    }

    private static Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure = null, string? directory = null) => TestApp.StartAsync(
        options =>
        {
            options.ProgressEvents = true;
            options.FileSystem.SyncInterval = TimeSpan.FromMilliseconds(50);
            options.Owner = static context => context.Request.Headers["X-Owner"].FirstOrDefault() ?? "sender";
            configure?.Invoke(options);
        },
        static builder => builder.Services.AddResumableUploads(),
        directory: directory);

    /// <summary>Waits until the upload exists. A status request would stop the append.</summary>
    private static Task WaitForUploadAsync(TestApp app) => Eventually.TrueAsync(
        async () => (await app.Services.GetRequiredService<IUploadManager>().ListAsync(new UploadListQuery())).Uploads.Count == 1, "the upload exists");
}

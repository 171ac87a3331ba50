using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Client;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>Uploads that fail, each for a reason that the app can tell apart.</summary>
public class DotNetClientFailureTests
{
    private const int Size = 1_000_000;

    public static TheoryData<UploadProtocol> Protocols => ClientApp.Protocols;

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Content_above_the_limit_is_rejected_before_it_is_sent(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(static options => options.MaxUploadSize = Size - 1);
        UploadException exception = await FailAsync(app, protocol);
        Assert.Equal(UploadFailureReason.TooLarge, exception.Reason);
        Assert.Contains("999999", exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, app.ReceivedBytes);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Stream_of_unknown_length_above_the_limit_is_rejected(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(static options => options.MaxUploadSize = Size - 1);
        var exception = await Assert.ThrowsAsync<UploadException>(() => app.CreateClient().UploadAsync(
            app.Endpoint, new PipeStream(ClientApp.RandomBytes(Size)), ClientApp.Options(protocol, static options => options.ChunkSize = 300_000), null, TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.TooLarge, exception.Reason);
        Assert.Empty(app.App.Finished);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Limit_of_a_proxy_makes_the_chunks_smaller(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(middleware: static (context, next) =>
        {
            if (context.Request.ContentLength <= 300_000 || context.Request.ContentLength is null)
            {
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return context.Response.WriteAsync("<html>Request Entity Too Large</html>");
        });
        byte[] content = ClientApp.RandomBytes(Size);
        await app.CreateClient().UploadAsync(app.Endpoint, app.CreateFile(content), ClientApp.Options(protocol), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Response_401_means_signed_out(UploadProtocol protocol)
    {
        await using ClientApp app = await StartAsync(StatusCodes.Status401Unauthorized);
        UploadException exception = await FailAsync(app, protocol);
        Assert.Equal(UploadFailureReason.SignedOut, exception.Reason);
        Assert.Equal(HttpStatusCode.Unauthorized, exception.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Redirect_to_a_sign_in_page_is_no_success(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(middleware: static (context, _) =>
        {
            if (context.Request.Path == "/login")
            {
                context.Response.ContentType = "text/html";
                return context.Response.WriteAsync("<html>Sign in</html>");
            }

            context.Response.Redirect("/login");
            return Task.CompletedTask;
        });
        UploadException exception = await FailAsync(app, protocol);
        Assert.Equal(UploadFailureReason.SignedOut, exception.Reason);
        Assert.Contains("/login", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Page_with_status_200_is_no_success(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(middleware: static (context, _) =>
        {
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync("<html>App</html>");
        });
        Assert.Equal(UploadFailureReason.UnexpectedResponse, (await FailAsync(app, protocol)).Reason);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Response_403_means_forbidden(UploadProtocol protocol)
    {
        await using ClientApp app = await StartAsync(StatusCodes.Status403Forbidden);
        Assert.Equal(UploadFailureReason.Forbidden, (await FailAsync(app, protocol)).Reason);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Path_without_endpoint_is_not_supported(UploadProtocol protocol)
    {
        await using ClientApp app = await StartAsync(StatusCodes.Status404NotFound);
        Assert.Equal(UploadFailureReason.NotSupported, (await FailAsync(app, protocol)).Reason);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Rejection_by_the_app_has_its_response(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(after: static web => web.MapPost("/upload", static async (HttpContext context) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            context.Response.StatusCode = StatusCodes.Status422UnprocessableEntity;
            await context.Response.WriteAsync("not a video");
        }).WithResumableUploads());
        UploadException exception = await FailAsync(app, protocol);
        Assert.Equal(UploadFailureReason.Rejected, exception.Reason);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, exception.StatusCode);
        Assert.Equal("not a video", exception.Response!.GetBodyText());
    }

    [Theory]
    [InlineData(UploadProtocol.FileId)]
    [InlineData(UploadProtocol.Ietf)]
    public async Task Redirect_of_the_app_is_a_success_if_the_upload_is_complete(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(after: static web =>
        {
            web.MapGet("/done", static () => "thanks");
            web.MapPost("/upload", static async (HttpContext context) =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
                context.Response.StatusCode = StatusCodes.Status303SeeOther;
                context.Response.Headers.Location = "/done";
            }).WithResumableUploads();
        });
        using var content = new MemoryStream(ClientApp.RandomBytes(Size));
        UploadResponseMessage response = await app.CreateClient().UploadAsync(app.Endpoint, content, ClientApp.Options(protocol), null, TestContext.Current.CancellationToken);
        Assert.Equal("thanks", response.GetBodyText());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Failing_server_exhausts_the_retries(UploadProtocol protocol)
    {
        await using ClientApp app = await StartAsync(StatusCodes.Status502BadGateway);
        var retries = new List<UploadRetry>();
        UploadException exception = await FailAsync(app, protocol, options => (options.Retry.MaxRetries, options.Retry.OnRetry) = (3, retries.Add));
        Assert.Equal(UploadFailureReason.RetriesExhausted, exception.Reason);
        Assert.Equal(HttpStatusCode.BadGateway, exception.StatusCode);
        Assert.Equal([1, 2, 3], retries.Select(static retry => retry.Attempt));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task File_that_changes_during_the_upload_is_detected(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        string path = app.CreateFile(ClientApp.RandomBytes(Size));
        bool isChanged = false;
        var exception = await Assert.ThrowsAsync<UploadException>(() => app.CreateClient().UploadAsync(
            app.Endpoint, path, ClientApp.Options(protocol, static options => options.ChunkSize = 300_000), new InlineProgress(report =>
            {
                if (report.Offset >= 300_000 && !isChanged)
                {
                    // The same length: only the time shows the change.
                    isChanged = true;
                    File.WriteAllBytes(path, ClientApp.RandomBytes(Size));
                }
            }), TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.SourceChanged, exception.Reason);
        Assert.Empty(app.App.Finished);
        UploadStatus? status = await app.CreateClient().GetStatusAsync(exception.Upload!, null, TestContext.Current.CancellationToken);
        Assert.Equal(0, status?.Offset ?? 0);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task File_that_changes_before_the_last_byte_is_not_completed(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        string path = app.CreateFile(ClientApp.RandomBytes(Size));

        // One request: the change happens when its first bytes have been sent.
        bool isChanged = false;
        var exception = await Assert.ThrowsAsync<UploadException>(() => app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, path, ClientApp.Options(protocol), new InlineProgress(report =>
        {
            if (report.Offset is > 0 and < Size && !isChanged)
            {
                isChanged = true;
                File.AppendAllText(path, "more");
            }
        }), TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.SourceChanged, exception.Reason);
        Assert.Empty(app.App.Finished);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Source_that_throws_fails_without_retries(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        var source = new PipeStream(ClientApp.RandomBytes(Size), 1000, static read => _ = read > 500_000 ? throw new IOException("The tape is torn.") : 0);
        var exception = await Assert.ThrowsAsync<UploadException>(() => app.CreateClient().UploadAsync(
            app.Endpoint, source, ClientApp.Options(protocol, static options => options.Retry.OnRetry = static _ => Assert.Fail("A retry.")), null, TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.SourceFailed, exception.Reason);
        Assert.Equal("The tape is torn.", exception.InnerException!.Message);
    }

    [Fact]
    public async Task Other_content_under_the_id_of_a_complete_upload_is_rejected()
    {
        await using ClientApp app = await ClientApp.StartAsync();
        UploadOptions options = ClientApp.Options(UploadProtocol.FileId, static options => (options.Id, options.Digest) = ("id", UploadDigest.Sha256));
        using var first = new MemoryStream(ClientApp.RandomBytes(1000));
        await app.CreateClient().UploadAsync(app.Endpoint, first, options, null, TestContext.Current.CancellationToken);
        foreach (int size in new[] { 1000, 1001, 999 })
        {
            using var second = new MemoryStream(ClientApp.RandomBytes(size));
            var exception = await Assert.ThrowsAsync<UploadException>(() => app.CreateClient().UploadAsync(app.Endpoint, second, options, null, TestContext.Current.CancellationToken));
            Assert.Equal(UploadFailureReason.DifferentContent, exception.Reason);
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Second_client_takes_the_upload_over(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();

        // More than the socket buffers hold. Otherwise, the first client may have sent everything before the server closes its connection, which is a success.
        byte[] content = ClientApp.RandomBytes(32_000_000);
        string path = app.CreateFile(content);
        using var sending = new ManualResetEventSlim();
        using var continuing = new ManualResetEventSlim();
        UploadOptions options = ClientApp.Options(protocol, static options => options.Id = "id");

        // The first client waits within its request, and continues when the second one has completed the upload.
        Task<UploadResponseMessage> first = Task.Run(() => app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, path, options, new InlineProgress(report =>
        {
            if (report.Offset > 0 && !sending.IsSet)
            {
                sending.Set();
                continuing.Wait(TestContext.Current.CancellationToken);
            }
        }), TestContext.Current.CancellationToken));
        sending.Wait(TestContext.Current.CancellationToken);
        await app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, path, options, null, TestContext.Current.CancellationToken);
        continuing.Set();

        var exception = await Assert.ThrowsAsync<UploadException>(() => first);
        Assert.Equal(UploadFailureReason.TakenOver, exception.Reason);
        app.AssertReceived(content);
    }

    [Theory]
    [InlineData(UploadProtocol.Tus)]
    [InlineData(UploadProtocol.Ietf)]
    public async Task Deleted_upload_starts_again(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Size);
        string path = app.CreateFile(content);
        UploadOptions options = ClientApp.Options(protocol, static options => options.ChunkSize = 300_000);
        await app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, path, options, new InlineProgress(DeleteOnce(app, path, options)), TestContext.Current.CancellationToken);
        app.AssertReceived(content);

        // A stream that cannot seek cannot.
        UploadReference? deleted = null;
        options = ClientApp.Options(protocol, static options => (options.ChunkSize, options.Id) = (300_000, "stream"));
        var exception = await Assert.ThrowsAsync<UploadException>(() => app.CreateClient(options: app.WithStateStore()).UploadAsync(
            app.Endpoint, new PipeStream(content), options, new InlineProgress(DeleteOnce(app, path, options, reference => deleted = reference)), TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.Gone, exception.Reason);
        Assert.Equal(deleted, exception.Upload);
    }

    [Fact]
    public async Task Body_above_the_limit_is_truncated()
    {
        await using ClientApp app = await ClientApp.StartAsync(after: static web => web.MapPost("/upload", static async (HttpContext context) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            await context.Response.WriteAsync(new string('x', 100_000), Encoding.ASCII);
        }).WithResumableUploads());
        using var content = new MemoryStream(ClientApp.RandomBytes(1000));
        UploadResponseMessage response = await app.CreateClient(options: new ResumableUploadClientOptions { MaxResponseBodySize = 5000 }).UploadAsync(app.Endpoint, content, null, null, TestContext.Current.CancellationToken);
        Assert.Equal(5000, response.Body.Length);
        Assert.True(response.IsBodyTruncated);
    }

    /// <summary>Returns a progress handler that deletes the upload once, as another client.</summary>
    private static Action<TransferProgress> DeleteOnce(ClientApp app, string path, UploadOptions options, Action<UploadReference>? deleted = null)
    {
        bool isDeleted = false;
        return report =>
        {
            if (report.Offset < 600_000 || isDeleted)
            {
                return;
            }

            isDeleted = true;
            Task.Run(async () =>
            {
                ResumableUploadClient other = app.CreateClient(options: app.WithStateStore());
                UploadReference upload = (await other.FindUploadAsync(app.Endpoint, path, options, TestContext.Current.CancellationToken))!;
                deleted?.Invoke(upload);
                await other.CancelAsync(upload, options, TestContext.Current.CancellationToken);
            }).Wait(TestContext.Current.CancellationToken);
        };
    }

    /// <summary>Starts a server that responds to each request with a status code.</summary>
    private static Task<ClientApp> StartAsync(int statusCode) => ClientApp.StartAsync(middleware: (context, _) =>
    {
        context.Response.StatusCode = statusCode;
        return Task.CompletedTask;
    });

    private static async Task<UploadException> FailAsync(ClientApp app, UploadProtocol protocol, Action<UploadOptions>? configure = null) =>
        await Assert.ThrowsAsync<UploadException>(() => app.CreateClient().UploadAsync(
            app.Endpoint, app.CreateFile(ClientApp.RandomBytes(Size)), ClientApp.Options(protocol, configure), null, TestContext.Current.CancellationToken));
}

using Microsoft.AspNetCore.Http;
using ResumableUploads.Client;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>Uploads whose content the server verifies.</summary>
public class DotNetClientDigestTests
{
    private const int Size = 1_000_000;

    public static TheoryData<UploadProtocol> Protocols => ClientApp.Protocols;

    public static TheoryData<UploadProtocol, UploadDigest> ProtocolsAndDigests
    {
        get
        {
            var all = new TheoryData<UploadProtocol, UploadDigest>();
            foreach (UploadProtocol protocol in ClientApp.Protocols.Select(static row => row.Data))
            {
                all.Add(protocol, UploadDigest.None);
                all.Add(protocol, UploadDigest.Sha512);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(ProtocolsAndDigests))]
    public async Task Content_that_differs_on_the_server_is_a_digest_mismatch(UploadProtocol protocol, UploadDigest chunkDigest)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        UploadOptions options = ClientApp.Options(protocol, options => (options.Digest, options.ChunkDigest, options.Id, options.ChunkSize) = (UploadDigest.Sha256, chunkDigest, "same id", 300_000));
        using (var stop = new CancellationTokenSource())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => app.CreateClient(options: app.WithStateStore()).UploadAsync(
                app.Endpoint, new PipeStream(ClientApp.RandomBytes(Size)), options, new InlineProgress(report =>
                {
                    if (report.Offset >= 600_000)
                    {
                        stop.Cancel();
                    }
                }), stop.Token));
        }

        byte[] other = ClientApp.RandomBytes(Size);
        var exception = await Assert.ThrowsAsync<UploadException>(() =>
            app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, new PipeStream(other), options, null, TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.DigestMismatch, exception.Reason);
        Assert.Empty(app.App.Finished);

        // The upload was deleted, so that the next call sends everything.
        await app.CreateClient(options: app.WithStateStore()).UploadAsync(app.Endpoint, new PipeStream(other), options, null, TestContext.Current.CancellationToken);
        app.AssertReceived(other);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Chunk_that_changes_on_its_way_is_sent_again(UploadProtocol protocol)
    {
        foreach (bool isStream in (bool[])[false, true])
        {
            int changes = 1;
            await using ClientApp app = await ClientApp.StartAsync(middleware: (context, next) => ChangeAsync(context, next, () => changes-- > 0));
            byte[] content = ClientApp.RandomBytes(Size);
            await using Stream stream = isStream ? new PipeStream(content) : new MemoryStream(content);
            await app.CreateClient().UploadAsync(app.Endpoint, stream, ClientApp.Options(protocol, static options => (options.ChunkDigest, options.ChunkSize) = (UploadDigest.Sha256, 300_000)), null, TestContext.Current.CancellationToken);
            app.AssertReceived(content);
            Assert.True(changes < 0, "No chunk was changed.");
            Assert.Equal(Size + 300_000, app.ReceivedBytes);
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Chunk_that_always_changes_on_its_way_fails(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(middleware: static (context, next) => ChangeAsync(context, next, static () => true));
        using var stream = new MemoryStream(ClientApp.RandomBytes(Size));
        var exception = await Assert.ThrowsAsync<UploadException>(() => app.CreateClient().UploadAsync(
            app.Endpoint, stream, ClientApp.Options(protocol, static options => (options.ChunkDigest, options.ChunkSize) = (UploadDigest.Sha256, 300_000)), null, TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.DigestMismatch, exception.Reason);
        Assert.Empty(app.App.Finished);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Requests_with_digest_have_at_most_4_MiB_by_default(UploadProtocol protocol)
    {
        const int Large = 9_000_000;
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Large);
        using var stream = new MemoryStream(content);
        await app.CreateClient().UploadAsync(app.Endpoint, stream, ClientApp.Options(protocol, static options => options.ChunkDigest = UploadDigest.Sha256), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.Equal([4_194_304, 4_194_304, Large - (2 * 4_194_304)], app.Requests.Select(static request => request.Length));
    }

    /// <summary>Changes a byte of a request body, as a faulty proxy does.</summary>
    private static async Task ChangeAsync(HttpContext context, RequestDelegate next, Func<bool> isChanged)
    {
        if (context.Request.ContentLength > 0 && isChanged())
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            body.GetBuffer()[body.Length / 2] ^= 1;
            body.Position = 0;
            context.Request.Body = body;
            await next(context);
            return;
        }

        await next(context);
    }
}

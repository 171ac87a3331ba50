using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting;

public class ServerLimitTests
{
    private const int Size = 40_000_000;

    [Theory]
    [InlineData(HttpProtocols.Http1, true, false)]
    [InlineData(HttpProtocols.Http1, false, false)]
    [InlineData(HttpProtocols.Http2, true, false)]
    [InlineData(HttpProtocols.Http2, false, false)]
    [InlineData(HttpProtocols.Http1, true, true)]
    [InlineData(HttpProtocols.Http2, true, true)]
    public async Task Body_of_40_MB_exceeds_server_limit_of_30_MB_and_is_accepted(HttpProtocols protocol, bool hasLength, bool isMapped)
    {
        byte[]? digest = null;
        void Configure(ResumableUploadOptions options)
        {
            options.FileSystem.Durability = Durability.ProcessCrash;
            options.OnCompleted = async (upload, cancellationToken) => digest = await upload.ComputeDigestAsync(HashAlgorithmName.SHA256, cancellationToken);
        }

        await using TestApp app = await TestApp.StartAsync(
            Configure,
            after: app => _ = isMapped ? app.MapResumableUploads("/upload", Configure) : null,
            useUploads: !isMapped,
            protocols: protocol);
        app.Client.DefaultRequestVersion = protocol == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        byte[] file = RandomNumberGenerator.GetBytes(Size);
        using HttpContent body = hasLength ? new ByteArrayContent(file) : new StreamContent(new UnknownLengthStream(file));
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, body, Size);

        Assert.Equal((200, "true"), ((int)response.StatusCode, response.Header("X-Upload-Complete")));
        Assert.Equal(SHA256.HashData(file), digest);
    }

    [Fact]
    public async Task Server_MinDataRate_is_disabled_for_upload_requests_only()
    {
        var uploadRate = new TaskCompletionSource<MinDataRate?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var otherRate = new TaskCompletionSource<MinDataRate?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await TestApp.StartAsync(before: app => app.Use(async (context, next) =>
        {
            await next(context);
            MinDataRate? rate = context.Features.Get<IHttpMinRequestBodyDataRateFeature>()!.MinDataRate;
            (context.Request.Path == "/upload" ? uploadRate : otherRate).SetResult(rate);
        }));
        using HttpResponseMessage upload = await app.Client.AppendAsync("f", 0, new byte[10], 20);
        using HttpResponseMessage other = await app.Client.PostAsync("/elsewhere", new ByteArrayContent(new byte[10]));

        // The client can receive the response before the middleware in front continues.
        Assert.Null(await Eventually.WithinAsync(uploadRate.Task));
        Assert.NotNull(await Eventually.WithinAsync(otherRate.Task));
    }

    [Fact]
    public async Task Server_body_size_limit_applies_to_other_requests()
    {
        await using TestApp app = await TestApp.StartAsync(
            services: static builder => builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Limits.MaxRequestBodySize = 100),
            after: static app => app.Run(static async context => await context.Request.Body.CopyToAsync(Stream.Null)));
        using HttpResponseMessage upload = await app.Client.AppendAsync("f", 0, new byte[1000], 1000);
        using HttpResponseMessage other = await app.Client.PostAsync("/elsewhere", new ByteArrayContent(new byte[1000]));

        Assert.Equal((200, 413), ((int)upload.StatusCode, (int)other.StatusCode));
    }

    /// <summary>A stream without a known length, so that the body is sent with chunked transfer coding.</summary>
    private sealed class UnknownLengthStream(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}

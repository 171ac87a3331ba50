using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using ResumableUploads.Abstractions;
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
    public async Task A_body_of_40_MB_passes_where_the_server_takes_30(HttpProtocols protocol, bool hasLength, bool isMapped)
    {
        byte[]? arrived = null;
        void Configure(ResumableUploadOptions options)
        {
            options.FileSystem.Durability = Durability.ProcessCrash;
            options.OnCompleted = async (upload, cancellationToken) => arrived = await upload.ComputeDigestAsync(HashAlgorithmName.SHA256, cancellationToken);
        }

        await using TestApp app = await TestApp.StartAsync(
            Configure,
            after: app => _ = isMapped ? app.MapResumableUploads("/upload", Configure) : null,
            useUploads: !isMapped,
            protocols: protocol);
        app.Client.DefaultRequestVersion = protocol == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        byte[] file = RandomNumberGenerator.GetBytes(Size);
        using HttpContent body = hasLength ? new ByteArrayContent(file) : new StreamContent(new Unmeasured(file));
        using HttpResponseMessage answer = await app.Client.AppendAsync("f", 0, body, Size);

        Assert.Equal((200, "true"), ((int)answer.StatusCode, answer.Header("X-Upload-Complete")));
        Assert.Equal(SHA256.HashData(file), arrived);
    }

    [Fact]
    public async Task The_servers_lowest_rate_is_switched_off_for_our_requests_alone()
    {
        object? ofUpload = "not asked", ofOthers = "not asked";
        await using TestApp app = await TestApp.StartAsync(before: app => app.Use(async (context, next) =>
        {
            await next(context);
            MinDataRate? rate = context.Features.Get<IHttpMinRequestBodyDataRateFeature>()!.MinDataRate;
            _ = context.Request.Path == "/upload" ? ofUpload = rate : ofOthers = rate;
        }));
        using HttpResponseMessage upload = await app.Client.AppendAsync("f", 0, new byte[10], 20);
        using HttpResponseMessage other = await app.Client.PostAsync("/elsewhere", new ByteArrayContent(new byte[10]));

        Assert.Null(ofUpload);
        Assert.IsType<MinDataRate>(ofOthers);
    }

    [Fact]
    public async Task The_servers_size_limit_still_holds_for_others()
    {
        await using TestApp app = await TestApp.StartAsync(
            services: static builder => builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Limits.MaxRequestBodySize = 100),
            after: static app => app.Run(static async context => await context.Request.Body.CopyToAsync(Stream.Null)));
        using HttpResponseMessage upload = await app.Client.AppendAsync("f", 0, new byte[1000], 1000);
        using HttpResponseMessage other = await app.Client.PostAsync("/elsewhere", new ByteArrayContent(new byte[1000]));

        Assert.Equal((200, 413), ((int)upload.StatusCode, (int)other.StatusCode));
    }

    /// <summary>A stream that does not tell its length, so that the body is chunked.</summary>
    private sealed class Unmeasured(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}

using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.LargeBuffers;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.LargeBuffers;

public sealed class LargeUploadBuffersTests
{
    private static readonly byte[] s_content = RandomNumberGenerator.GetBytes(1_000_003);

    [Theory]
    [MemberData(nameof(IetfApp.Wires), MemberType = typeof(IetfApp))]
    public async Task Uploads_of_every_protocol_complete_and_return_all_blocks(string wire)
    {
        await using TusApp app = await StartAsync(wire);
        var factory = (LargeBlockPoolFactory)app.App.Services.GetRequiredService<IMemoryPoolFactory<byte>>();
        using (HttpResponseMessage fileId = await app.Client.AppendAsync("f", 0, new ByteArrayContent(s_content), s_content.Length, TusApp.Url))
        {
            Assert.True(fileId.IsSuccessStatusCode);
        }

        using (HttpResponseMessage tus = await app.Client.TusAsync("POST", TusApp.Url, s_content, ("Upload-Length", $"{s_content.Length}")))
        {
            Assert.True(tus.IsSuccessStatusCode);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, TusApp.Url)
        {
            Content = new ByteArrayContent(s_content),
            Version = app.Client.DefaultRequestVersion,
            VersionPolicy = app.Client.DefaultVersionPolicy,
        };
        request.Headers.TryAddWithoutValidation("Upload-Complete", "?1");
        using (HttpResponseMessage ietf = await app.Client.SendAsync(request))
        {
            Assert.True(ietf.IsSuccessStatusCode);
        }

        Assert.Equal(3, app.Seen.Count);
        Assert.All(app.Seen, static seen => Assert.Equal(s_content, seen.Content));
        Assert.NotEmpty(factory.Pools);
        app.Client.Dispose();
        await Eventually.TrueAsync(() => factory.Pools.All(static pool => pool.RentedCount == 0), "all blocks were returned to the pool");
    }

    private static async Task<TusApp> StartAsync(string wire)
    {
        TusApp app = await TusApp.StartAsync(
            TusApp.Endpoint,
            services: static builder => builder.WebHost.UseLargeUploadBuffers(),
            onKestrel: true,
            protocols: wire == IetfApp.Http1 ? HttpProtocols.Http1 : HttpProtocols.Http2,
            listen: listen =>
            {
                if (wire == IetfApp.Http2Tls)
                {
                    listen.UseHttps(TestCertificate.Instance);
                }
            });
        if (wire != IetfApp.Http1)
        {
            app.Client.DefaultRequestVersion = HttpVersion.Version20;
            app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }

        return app;
    }
}

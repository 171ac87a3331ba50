using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Hosting.Proxies;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Proxies;

/// <summary>The detection of direct connections. For HTTP/1.1 with ALPN, which HttpClient does not negotiate, see the tests of interim responses.</summary>
public class ProxyDetectionTests
{
    [Theory]
    [InlineData(HttpProtocols.Http1, true, null, false)]
    [InlineData(HttpProtocols.Http2, true, null, true)]
    [InlineData(HttpProtocols.Http2, true, "X-Forwarded-For", false)]
    [InlineData(HttpProtocols.Http2, true, "X-Real-IP", false)]
    [InlineData(HttpProtocols.Http1, false, null, false)]
    [InlineData(HttpProtocols.Http2, false, null, false)]
    public async Task Request_is_direct_only_with_ALPN_and_without_headers_of_a_proxy(HttpProtocols protocols, bool tls, string? header, bool expected)
    {
        await using TestApp app = await TestApp.StartAsync(
            useUploads: false,
            protocols: protocols,
            after: static app => app.MapGet("/", static (HttpContext context) => $"{context.Request.Protocol} {ProxyDetection.IsDirect(context)}"),
            listen: listen =>
            {
                if (tls)
                {
                    listen.UseHttps(TestCertificate.Instance);
                }
            });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/")
        {
            Version = protocols == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (header is not null)
        {
            request.Headers.Add(header, "192.0.2.1");
        }

        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal($"{(protocols == HttpProtocols.Http2 ? "HTTP/2" : "HTTP/1.1")} {expected}", await response.Content.ReadAsStringAsync());
    }
}

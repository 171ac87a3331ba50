using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Proxies.Measuring;
using ResumableUploads.FunctionalTests.Proxies.Servers;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>
/// Uploads of the draft that begin with the whole file, by the default for interim responses. No proxy may receive a 104, because some take it for the final
/// response, also those that add no header and those that connect to the app with TLS.
/// </summary>
public class InterimResponseDefaultTests
{
    private const string NginxWithTls = """
        server {
            listen 8080;
            location / {
                proxy_pass https://127.0.0.1:5080;
                proxy_http_version 1.1;
                proxy_request_buffering off;
            }
        }
        """;

    private const string NginxWithTlsAndKeepAlive = """
        upstream app { server 127.0.0.1:5080; keepalive 4; }
        server {
            listen 8080;
            location / {
                proxy_pass https://app;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_request_buffering off;
                proxy_buffering off;
                proxy_ssl_server_name on;
                proxy_ssl_name localhost;
            }
        }
        """;

    private const string HAProxyWithTls = """
        defaults
            mode http
            timeout connect 5s
            timeout client 50s
            timeout server 50s
        listen uploads
            bind :8080
            server app 127.0.0.1:5080 ssl verify none

        """;

    private const string ApacheWithTls = """
        Listen 8080
        SSLProxyEngine on
        SSLProxyCheckPeerName off
        ProxyPass / https://127.0.0.1:5080/
        ProxyAddHeaders Off

        """;

    private const int Size = 1_000_000;
    private readonly byte[] _file = RandomNumberGenerator.GetBytes(Size);

    public static TheoryData<string, string> Proxies => new(ProxySetup.All.Select(static setup => (setup.Proxy, setup.Configuration)));

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task Upload_in_one_request_completes_without_a_104(string proxy, string configuration)
    {
        await using ProxiedApp app = await ProxiedApp.StartAsync();
        await using IProxy server = await ProxySetup.Get(proxy, configuration).StartAsync(app.Address);
        await AssertCompletesAsync(app, server.Address);
    }

    [Theory]
    [InlineData("nginx", NginxWithTls)]
    [InlineData("nginx", NginxWithTlsAndKeepAlive)]
    [InlineData("HAProxy", HAProxyWithTls)]
    [InlineData("Apache", ApacheWithTls)]
    public async Task Upload_in_one_request_completes_without_a_104_if_the_proxy_uses_TLS(string proxy, string configuration)
    {
        ProxyProgram program = proxy switch
        {
            "nginx" => ProxyProgram.Nginx,
            "HAProxy" => ProxyProgram.HAProxy,
            _ => ProxyProgram.Apache,
        };
        await using ProxiedApp app = await ProxiedApp.StartAsync(static listen => listen.UseHttps(TestCertificate.Instance));
        await using IProxy server = await ProxyProcess.StartAsync(program, configuration, app.Address);
        await AssertCompletesAsync(app, server.Address);
        Assert.Equal("", app.Requests.Last().Marks);
    }

    /// <summary>HAProxy adds no header by default. If it is configured to negotiate the version, it looks like a client, and it forwards the 104.</summary>
    [Fact]
    public async Task Upload_in_one_request_completes_with_a_104_if_the_proxy_negotiates_the_version()
    {
        await using ProxiedApp app = await ProxiedApp.StartAsync(static listen => listen.UseHttps(TestCertificate.Instance));
        string configuration = HAProxyWithTls.Replace("verify none", "verify none alpn http/1.1", StringComparison.Ordinal);
        await using IProxy server = await ProxyProcess.StartAsync(ProxyProgram.HAProxy, configuration, app.Address);
        await using RawConnection connection = await BeginAsync(server.Address);
        Assert.Equal(104, (await connection.ReadResponseAsync())?.Status);
        await connection.SendAsync(_file);
        RawResponse? response;
        while ((response = await connection.ReadResponseAsync()) is { Status: 104 })
        {
        }

        Assert.Equal(201, response?.Status);
        Assert.Equal(_file, Assert.Single(app.Files));
    }

    [Fact]
    public async Task Client_that_connects_with_TLS_gets_a_104()
    {
        await using ProxiedApp app = await ProxiedApp.StartAsync(static listen => listen.UseHttps(TestCertificate.Instance));
        await using RawConnection connection = await BeginAsync(app.Address);
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.Equal(104, response?.Status);
        Assert.NotNull(response?.Header("Location"));
    }

    private async Task AssertCompletesAsync(ProxiedApp app, Uri proxy)
    {
        await using RawConnection connection = await BeginAsync(proxy);
        await connection.SendAsync(_file);
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.Equal((201, "?1"), (response?.Status, response?.Header("Upload-Complete")));
        Assert.Equal(_file, Assert.Single(app.Files));
    }

    private static async Task<RawConnection> BeginAsync(Uri address)
    {
        RawConnection connection = await RawConnection.OpenAsync(address);
        await connection.SendHeadAsync($"POST {ProxiedApp.Auto}", "Upload-Draft-Interop-Version: 6", "Upload-Complete: ?1", $"Content-Length: {Size}");
        return connection;
    }
}

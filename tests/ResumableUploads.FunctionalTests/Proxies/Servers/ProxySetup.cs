using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Proxies.Servers;

/// <summary>A proxy with one of its configurations.</summary>
/// <param name="Proxy">The name of the proxy.</param>
/// <param name="Configuration">The name of the configuration, as the documentation has it.</param>
/// <param name="StartAsync">Starts it in front of an app.</param>
internal sealed record ProxySetup(string Proxy, string Configuration, Func<Uri, Task<IProxy>> StartAsync)
{
    public const string Default = "default";
    public const string Sample = "sample";
    public const string NginxCache = "sample and `proxy_cache`";

    private const string NginxDefault = "server { listen 8080; location / { proxy_pass http://127.0.0.1:5080; } }";

    private const string HAProxyDefault = """
        defaults
            mode http
            timeout connect 5s
            timeout client 50s
            timeout server 50s
        listen uploads
            bind :8080
            server app 127.0.0.1:5080

        """;

    private const string ApacheDefault = """
        Listen 8080
        ProxyPass / http://127.0.0.1:5080/

        """;

    private const string LighttpdDefault = """
        server.modules = ( "mod_proxy" )
        server.document-root = "/var/www/html"
        server.port = 8080
        proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => 5080 ) ) )

        """;

    private const string H2oDefault = """
        hosts:
          default:
            listen:
              port: 8080
            paths:
              /:
                proxy.reverse.url: http://127.0.0.1:5080/

        """;

    private const string VarnishDefault = """
        vcl 4.1;
        backend default { .host = "127.0.0.1"; .port = "5080"; }

        """;

    private const string YarpDefault = """
        {
          "ReverseProxy": {
            "Routes": { "app": { "ClusterId": "app", "Match": { "Path": "{**all}" } } },
            "Clusters": { "app": { "Destinations": { "app": { "Address": "http://127.0.0.1:5080" } } } }
          }
        }
        """;

    /// <summary>Gets every proxy and configuration of the documentation, in its order.</summary>
    public static IReadOnlyList<ProxySetup> All { get; } =
    [
        new("none", "direct", static app => Task.FromResult<IProxy>(new DirectConnection(app))),
        Of("nginx", Default, ProxyProgram.Nginx, NginxDefault),
        Of("nginx", Sample, ProxyProgram.Nginx, ReadSample("nginx.conf")),
        Of("nginx", "sample without `X-Forwarded-*`", ProxyProgram.Nginx, NginxWithoutHeaders),
        Of("nginx", NginxCache, ProxyProgram.Nginx, NginxWithCache),
        Of("HAProxy", Default, ProxyProgram.HAProxy, HAProxyDefault),
        Of("HAProxy", Sample, ProxyProgram.HAProxy, ReadSample("haproxy.cfg")),
        Of("Apache", Default, ProxyProgram.Apache, ApacheDefault),
        Of("Apache", Sample, ProxyProgram.Apache, ReadSample("apache.conf")),
        Of("Caddy", Sample, ProxyProgram.Caddy, ReadSample("Caddyfile")),
        Of("lighttpd", Default, ProxyProgram.Lighttpd, LighttpdDefault),
        Of("lighttpd", Sample, ProxyProgram.Lighttpd, ReadSample("lighttpd.conf")),
        Of("h2o", Default, ProxyProgram.H2o, H2oDefault),
        Of("h2o", Sample, ProxyProgram.H2o, ReadSample("h2o.conf")),
        Of("Varnish", Default, ProxyProgram.Varnish, VarnishDefault),
        Of("Varnish", Sample, ProxyProgram.Varnish, ReadSample("varnish.vcl")),
        new("YARP", Default, static app => YarpProxy.StartAsync(YarpDefault, app)),
        new("YARP", Sample, static app => YarpProxy.StartAsync(ReadSample("yarp.json"), app)),
    ];

    /// <summary>Gets the configuration of nginx that buffers requests and has no limit for their size.</summary>
    public static string NginxBuffering => ReadSample("nginx.conf").Replace("proxy_request_buffering off;", "", StringComparison.Ordinal);

    private static string NginxWithoutHeaders =>
        string.Concat(ReadSample("nginx.conf").Split('\n').Where(static line => !line.Contains("X-Forwarded-", StringComparison.Ordinal)).Select(static line => line + "\n"));

    private static string NginxWithCache => "proxy_cache_path DIRECTORY/cache keys_zone=uploads:1m;\n"
        + ReadSample("nginx.conf").Replace("location / {", "location / { proxy_cache uploads;", StringComparison.Ordinal);

    public static ProxySetup Get(string proxy, string configuration) => All.Single(setup => setup.Proxy == proxy && setup.Configuration == configuration);

    public static string ReadSample(string file) => RepositoryFiles.Read(Path.Combine("samples", "proxies", file));

    public static ProxySetup Of(string proxy, string configuration, ProxyProgram program, string text) =>
        new(proxy, configuration, app => ProxyProcess.StartAsync(program, text, app));
}

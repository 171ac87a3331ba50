namespace ResumableUploads.FunctionalTests.Proxies.Servers;

/// <summary>A proxy that runs as a process.</summary>
/// <param name="Executable">The name of the program.</param>
/// <param name="ConfigurationFile">The name of its configuration file.</param>
/// <param name="Complete">Adds to a configuration what the test needs: a listener on the loopback address, and files in the directory of the test.</param>
/// <param name="Arguments">Returns the arguments that run the program in the foreground.</param>
internal sealed record ProxyProgram(
    string Executable,
    string ConfigurationFile,
    Func<ProxyLaunch, string, string> Complete,
    Func<ProxyLaunch, string[]> Arguments)
{
    private const string ApacheModules = "/usr/lib/apache2/modules";

    public static ProxyProgram Nginx { get; } = new(
        "nginx",
        "nginx.conf",
        static (launch, text) => $$"""
            daemon off;
            master_process off;
            pid {{launch.Directory}}/pid;
            error_log {{launch.Directory}}/error.log;
            events {
            }
            http {
                access_log off;
                client_body_temp_path {{launch.Directory}}/client_body;
                proxy_temp_path {{launch.Directory}}/proxy;
                fastcgi_temp_path {{launch.Directory}}/fastcgi;
                uwsgi_temp_path {{launch.Directory}}/uwsgi;
                scgi_temp_path {{launch.Directory}}/scgi;
            {{text.Replace("listen 8080", "listen 127.0.0.1:8080", StringComparison.Ordinal).Replace("DIRECTORY", launch.Directory, StringComparison.Ordinal)}}
            }
            """,
        static launch => ["-p", launch.Directory, "-c", launch.Configuration, "-e", $"{launch.Directory}/error.log"]);

    public static ProxyProgram HAProxy { get; } = new(
        "haproxy",
        "haproxy.cfg",
        static (_, text) => text.Replace("bind :8080", "bind 127.0.0.1:8080", StringComparison.Ordinal),
        static launch => ["-db", "-f", launch.Configuration]);

    public static ProxyProgram Apache { get; } = new(
        "apache2",
        "apache.conf",
        static (launch, text) => $"""
            ServerRoot {launch.Directory}
            ServerName localhost
            PidFile {launch.Directory}/pid
            ErrorLog {launch.Directory}/error.log
            DefaultRuntimeDir {launch.Directory}
            User www-data
            Group www-data
            {string.Concat(new[] { "mpm_event", "authz_core", "reqtimeout", "proxy", "proxy_http", "socache_shmcb", "ssl" }.Select(static name => $"LoadModule {name}_module {ApacheModules}/mod_{name}.so\n"))}
            {text.Replace("Listen 8080", "Listen 127.0.0.1:8080", StringComparison.Ordinal)}
            """,

        // One process, which serves the requests itself.
        static launch => ["-X", "-f", launch.Configuration]);

    public static ProxyProgram Caddy { get; } = new(
        "caddy",
        "Caddyfile",
        static (_, text) => $$"""
            {
                admin off
                auto_https off
            }
            {{text.Replace(":8080 {", "http://127.0.0.1:8080 {", StringComparison.Ordinal)}}
            """,
        static launch => ["run", "--config", launch.Configuration, "--adapter", "caddyfile"]);

    public static ProxyProgram Lighttpd { get; } = new(
        "lighttpd",
        "lighttpd.conf",
        static (launch, text) => $"""
            server.bind = "127.0.0.1"
            server.upload-dirs = ( "{launch.Directory}" )
            server.errorlog = "{launch.Directory}/error.log"
            {text.Replace("/var/www/html", launch.Directory, StringComparison.Ordinal)}
            """,
        static launch => ["-D", "-f", launch.Configuration]);

    public static ProxyProgram H2o { get; } = new(
        "h2o",
        "h2o.conf",
        static (launch, text) => $"""
            error-log: {launch.Directory}/error.log
            {text.Replace("port: 8080", "{ host: 127.0.0.1, port: 8080 }", StringComparison.Ordinal)}
            """,
        static launch => ["-c", launch.Configuration]);

    public static ProxyProgram Varnish { get; } = new(
        "varnishd",
        "varnish.vcl",
        static (_, text) => text,
        static launch => ["-F", "-a", $"127.0.0.1:{launch.Port}", "-f", launch.Configuration, "-n", $"{launch.Directory}/work", "-s", "malloc,64m"]);
}

/// <summary>One attempt to start a proxy.</summary>
/// <param name="Directory">The directory for its files.</param>
/// <param name="Port">The port on which it listens.</param>
/// <param name="Configuration">The path of its configuration.</param>
internal sealed record ProxyLaunch(string Directory, int Port, string Configuration);

using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.Testing.Servers;

/// <summary>An app with resumable uploads on Kestrel (on a free port) or on TestHost, with its own upload directory.</summary>
public sealed class TestApp : IAsyncDisposable
{
    /// <summary>The <c>PreemptionTimeout</c> of test apps, which allows for a machine that pauses an append for seconds.</summary>
    public static readonly TimeSpan PreemptionTimeout = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan FirstSweepTimeout = TimeSpan.FromMinutes(2);
    private readonly WebApplication _app;

    private TestApp(WebApplication app, string directory, bool onTestHost, List<FinishedUpload> finished, LogLines log)
    {
        _app = app;
        Directory = directory;
        Finished = finished;
        Log = log;
        if (onTestHost)
        {
            Client = app.GetTestClient();
            Address = Client.BaseAddress!;
        }
        else
        {
            Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            Client = new HttpClient(new SocketsHttpHandler { UseCookies = false, SslOptions = { RemoteCertificateValidationCallback = TestCertificate.IsIt } }) { BaseAddress = Address };
        }
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    /// <summary>Gets the directory of the uploads. It is deleted with the app.</summary>
    public string Directory { get; }

    /// <summary>Gets the files in the directory that belong to uploads.</summary>
    public IEnumerable<string> StoredFiles
    {
        get
        {
            string mailboxes = Path.Combine(Directory, "mailboxes");
            string clock = Path.Combine(Directory, "clock");
            return System.IO.Directory.EnumerateFiles(Directory, "*", SearchOption.AllDirectories)
                .Where(path => path != clock && !path.StartsWith(mailboxes, StringComparison.Ordinal));
        }
    }

    /// <summary>Gets the uploads, with their content, that the default <c>OnCompleted</c> has received.</summary>
    public List<FinishedUpload> Finished { get; }

    public LogLines Log { get; }

    public IServiceProvider Services => _app.Services;

    /// <param name="configure">Configures the options. The directory is set, the durability is <c>ProcessCrash</c>, the <c>PreemptionTimeout</c> is <see cref="PreemptionTimeout"/>, and <c>OnCompleted</c> adds to <see cref="Finished"/>.</param>
    /// <param name="services">Adds services.</param>
    /// <param name="before">Adds middleware before the upload middleware.</param>
    /// <param name="after">Adds middleware and endpoints after the upload middleware.</param>
    /// <param name="onTestHost">Uses TestHost instead of Kestrel.</param>
    /// <param name="protocols">The HTTP versions of Kestrel. Http2 is without TLS.</param>
    /// <param name="useUploads">If false, the test calls Use/MapResumableUploads in <paramref name="before"/> or <paramref name="after"/>.</param>
    /// <param name="directory">An existing directory, which is not deleted with the app.</param>
    /// <param name="listen">Configures the endpoint on which Kestrel listens.</param>
    public static async Task<TestApp> StartAsync(
        Action<ResumableUploadOptions>? configure = null,
        Action<WebApplicationBuilder>? services = null,
        Action<WebApplication>? before = null,
        Action<WebApplication>? after = null,
        bool onTestHost = false,
        HttpProtocols protocols = HttpProtocols.Http1,
        bool useUploads = true,
        string? directory = null,
        Action<ListenOptions>? listen = null)
    {
        string root = directory ?? System.IO.Directory.CreateTempSubdirectory("uploads-test-").FullName;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = root, Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log);
        if (onTestHost)
        {
            builder.WebHost.UseTestServer();
        }
        else
        {
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, options =>
            {
                options.Protocols = protocols;
                listen?.Invoke(options);
            }));
        }

        services?.Invoke(builder);
        WebApplication app = builder.Build();
        var finished = new List<FinishedUpload>();
        before?.Invoke(app);
        if (useUploads)
        {
            app.UseResumableUploads(options =>
            {
                options.Directory = root;
                options.FileSystem.Durability = Durability.ProcessCrash;
                options.Timeouts.PreemptionTimeout = PreemptionTimeout;
                options.OnCompleted = async (upload, cancellationToken) =>
                {
                    using var content = new MemoryStream();
                    await using (Stream stream = await upload.OpenReadAsync(cancellationToken))
                    {
                        await stream.CopyToAsync(content, cancellationToken);
                    }

                    lock (finished)
                    {
                        finished.Add(new FinishedUpload(upload, content.ToArray()));
                    }
                };
                configure?.Invoke(options);
            });
        }

        after?.Invoke(app);
        await app.StartAsync();
        if (directory is null)
        {
            await WaitForFirstSweepAsync(app.Services);
        }

        return new TestApp(app, directory is null ? root : "", onTestHost, finished, log);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using (var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
        {
            await _app.StopAsync(cancellation.Token);
        }

        await _app.DisposeAsync();
        if (Directory.Length > 0)
        {
            await TemporaryDirectory.DeleteAsync(Directory);
            await TemporaryDirectory.DeleteAsync(Directory + "-uploads");
        }
    }

    /// <summary>
    /// Waits for the sweep at start, which on a busy machine can find the first upload of the test and run its handler again. If the store of the test blocks
    /// the sweep, the wait ends after a minute.
    /// </summary>
    private static async Task WaitForFirstSweepAsync(IServiceProvider services)
    {
        UploadSweeper[] sweepers = UploadDispatcherFactory.FindSharedServices(services)?.RunningSweepers ?? [];
        long start = TimeProvider.System.GetTimestamp();
        while (!sweepers.All(static sweeper => sweeper.Status is { LastSucceeded: not null } or { ConsecutiveFailures: > 0 })
            && TimeProvider.System.GetElapsedTime(start) < FirstSweepTimeout)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }
    }
}

/// <summary>An upload as its handler received it.</summary>
public sealed record FinishedUpload(CompletedUpload Upload, byte[] Content);

/// <summary>Collects log messages.</summary>
public sealed class LogLines : ILoggerProvider
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(LogLines lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Lines.Enqueue($"{logLevel} {category}[{eventId.Id}] {formatter(state, exception)} {exception}");
    }
}

using ResumableUploads.Stores.Memory;

namespace ResumableUploads.Benchmarks.Overhead;

/// <summary>An app that is built and never listens: its pipeline is called with one request again and again.</summary>
internal sealed class Pipeline
{
    private readonly RequestDelegate _run;

    /// <param name="build">Middleware and endpoints, with the services of resumable uploads there.</param>
    public Pipeline(Action<WebApplication> build)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddResumableUploads(static options => options.Store = new MemoryUploadStore(1 << 20));
        WebApplication app = builder.Build();
        build(app);
        Services = app.Services;
        _run = ((IApplicationBuilder)app).Build();
    }

    public IServiceProvider Services { get; }

    /// <summary>A request as browsers send it, with the headers that it has in any case.</summary>
    public DefaultHttpContext Request(string method, string path)
    {
        var context = new DefaultHttpContext { RequestServices = Services };
        context.Request.Method = method;
        context.Request.Path = path;
        context.Request.Scheme = "https";
        foreach ((string name, string value) in new[]
        {
            ("Host", "app.example"), ("Accept", "*/*"), ("Accept-Encoding", "gzip, br"), ("Accept-Language", "en"), ("Cookie", "session=abc"),
            ("Content-Type", "application/json"), ("Content-Length", "100"), ("Origin", "https://app.example"), ("User-Agent", "benchmark"),
        })
        {
            context.Request.Headers[name] = value;
        }

        return context;
    }

    public Task RunAsync(HttpContext context) => _run(context);
}

namespace ResumableUploads.Benchmarks.Overhead;

/// <summary>The pipeline of an app that does not listen. It is called repeatedly with one request.</summary>
internal sealed class Pipeline
{
    private readonly RequestDelegate _run;

    /// <param name="build">Adds middleware and endpoints. The services of resumable uploads are registered.</param>
    public Pipeline(Action<WebApplication> build)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddResumableUploads().UseMemoryStore(1 << 20);
        WebApplication app = builder.Build();
        build(app);
        Services = app.Services;
        _run = ((IApplicationBuilder)app).Build();
    }

    public IServiceProvider Services { get; }

    /// <summary>Creates a request with the usual headers of a browser.</summary>
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

using BenchmarkDotNet.Attributes;

namespace ResumableUploads.Benchmarks.Overhead;

/// <summary>Measures routing and execution of a plain request, with and without a resumable endpoint in the app.</summary>
public class RoutingBenchmark
{
    private readonly Pipeline _bare = Routed(isResumable: false);
    private readonly Pipeline _ours = Routed(isResumable: true);
    private HttpContext _request = null!;

    /// <summary>The request: to the resumable endpoint, to a GET endpoint at the same URL, and to another URL.</summary>
    [Params("POST /videos", "GET /videos", "POST /other")]
    public string To { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        string[] parts = To.Split(' ');
        _request = _bare.Request(parts[0], parts[1]);
        foreach (Pipeline pipeline in new[] { _bare, _ours })
        {
            _request.SetEndpoint(null);
            pipeline.RunAsync(_request).GetAwaiter().GetResult();
            if (_request.GetEndpoint()?.DisplayName?.Contains(parts[1], StringComparison.Ordinal) is not true)
            {
                throw new InvalidOperationException($"{To} was routed to '{_request.GetEndpoint()?.DisplayName}'.");
            }
        }
    }

    [Benchmark(Baseline = true)]
    public Task Without() => RunAsync(_bare);

    [Benchmark]
    public Task With() => RunAsync(_ours);

    private static Pipeline Routed(bool isResumable) => new(app =>
    {
        app.UseRouting();
        IEndpointConventionBuilder videos = app.MapPost("/videos", static (HttpContext _) => Task.CompletedTask);
        app.MapGet("/videos", static (HttpContext _) => Task.CompletedTask);
        app.MapPost("/other", static (HttpContext _) => Task.CompletedTask);
        if (isResumable)
        {
            videos.WithResumableUploads();
        }

        app.UseEndpoints(static _ => { });
    });

    private Task RunAsync(Pipeline pipeline)
    {
        _request.SetEndpoint(null);
        return pipeline.RunAsync(_request);
    }
}

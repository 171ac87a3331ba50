using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Routing.Patterns;

namespace ResumableUploads.Benchmarks.Overhead;

/// <summary>Measures <c>UseResumableUploadEndpoints</c> with a request for an endpoint that is not resumable.</summary>
public class OtherEndpointBenchmark
{
    private readonly Pipeline _bare = new(static app => app.Run(static _ => Task.CompletedTask));
    private readonly Pipeline _ours = new(static app =>
    {
        app.UseResumableUploadEndpoints();
        app.Run(static _ => Task.CompletedTask);
    });

    private HttpContext _request = null!;

    [GlobalSetup]
    public void Setup()
    {
        _request = _bare.Request("POST", "/api/orders");
        _request.SetEndpoint(new RouteEndpoint(
            static _ => Task.CompletedTask, RoutePatternFactory.Parse("/api/orders"), 0, new EndpointMetadataCollection(new HttpMethodMetadata(["POST"])), "orders"));
    }

    [Benchmark(Baseline = true)]
    public Task Without() => _bare.RunAsync(_request);

    [Benchmark]
    public Task With() => _ours.RunAsync(_request);
}

using BenchmarkDotNet.Attributes;

namespace ResumableUploads.Benchmarks.Overhead;

/// <summary>Measures <c>UseResumableUploads</c> with a request for another path.</summary>
public class OtherPathBenchmark
{
    private readonly Pipeline _bare = new(static app => app.Run(static _ => Task.CompletedTask));
    private readonly Pipeline _ours = new(static app =>
    {
        app.UseResumableUploads();
        app.Run(static _ => Task.CompletedTask);
    });

    private HttpContext _request = null!;

    [GlobalSetup]
    public void Setup() => _request = _bare.Request("POST", "/api/orders");

    [Benchmark(Baseline = true)]
    public Task Without() => _bare.RunAsync(_request);

    [Benchmark]
    public Task With() => _ours.RunAsync(_request);
}

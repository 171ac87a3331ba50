using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace ResumableUploads.Benchmarks.Overhead;

/// <summary>Measures the cost of the package for requests that are not uploads, in nanoseconds and bytes.</summary>
internal static class OverheadMode
{
    public static int Run(string artifacts)
    {
        // Run in this process: the projects that BenchmarkDotNet generates do not use the package settings of this repository.
        IConfig config = ManualConfig.CreateEmpty()
            .AddJob(Job.Default
                .WithWarmupCount(5).WithIterationCount(20).WithIterationTime(TimeInterval.FromMilliseconds(200))
                .WithToolchain(InProcessEmitToolchain.Instance).WithId("InProcess"))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddExporter(MarkdownExporter.Console)
            .AddLogger(ConsoleLogger.Default)
            .WithArtifactsPath(artifacts);
        return BenchmarkRunner.Run(
            [typeof(OtherPathBenchmark), typeof(OtherEndpointBenchmark), typeof(RoutingBenchmark)], config).All(static summary => summary.Reports.All(static report => report.Success)) ? 0 : 1;
    }
}

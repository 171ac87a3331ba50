using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Metrics;
using ResumableUploads.Testing.Servers;
using ResumableUploads.UnitTests.Engine.Diagnostics;

namespace ResumableUploads.UnitTests.Repository.Documents;

/// <summary>The table of metrics in docs/diagnostics.md, compared with the instruments and their measurements.</summary>
public class MetricsTableTests
{
    private const string Begin = "<!-- metrics -->\n";
    private const string End = "<!-- /metrics -->";

    [Fact]
    public async Task Diagnostics_page_lists_every_metric()
    {
        string expected = await RenderAsync();
        string page = RepositoryFiles.Read("docs/diagnostics.md").ReplaceLineEndings("\n");
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        string actual = page[begin..page.IndexOf(End, StringComparison.Ordinal)];
        Assert.True(expected == actual, $"The table of docs/diagnostics.md is outdated. It must be:\n\n{expected}");
    }

    private static async Task<string> RenderAsync()
    {
        using var meters = new OwnMeterFactory();
        using var log = new MetricLog(meters);
        await using (TestApp app = await TestApp.StartAsync(
            static options => options.FileSystem.Durability = Durability.PowerLoss,
            builder => builder.Services.AddSingleton<IMeterFactory>(meters), onTestHost: true))
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[4], 10);
            log.Observe();
            using var metrics = new UploadMetrics(meters);
            UploadMetricsTests.RecordAll(metrics, new UploadOrigin("test", "/upload"));
        }

        IEnumerable<string> rows = log.Measurements
            .GroupBy(static one => one.Instrument.Name)
            .OrderBy(static metric => metric.Key, StringComparer.Ordinal)
            .Select(static metric =>
            {
                Instrument instrument = metric.First().Instrument;
                string attributes = string.Join(", ", metric.SelectMany(static one => one.Tags.Keys).Distinct().Select(static key => $"`{key}`"));
                return $"| `{instrument.Name}` | {Kind(instrument)} | `{instrument.Unit}` | {attributes} | {instrument.Description} |\n";
            });
        Assert.Equal(log.Instruments.Select(static instrument => instrument.Name).Distinct().Order(), log.Measurements.Select(static one => one.Instrument.Name).Distinct().Order());
        return $"| Name | Type | Unit | Attributes | Meaning |\n|---|---|---|---|---|\n{string.Concat(rows)}";
    }

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" => "counter",
        "UpDownCounter" => "up-down counter",
        "Histogram" => "histogram",
        "ObservableGauge" => "gauge",
        var other => throw new NotSupportedException(other),
    };
}

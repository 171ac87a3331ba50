using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Samples;

/// <summary>The metrics of <c>samples/Observed</c>, and the queries of its Grafana dashboard.</summary>
public partial class ObservedTests
{
    private const string Prefix = "resumable_uploads_";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Gets the metrics of docs/diagnostics.md, which a unit test compares with the code, by the names that Prometheus gives them.</summary>
    private static Dictionary<string, DocumentedMetric> Documented => MetricRow().Matches(RepositoryFiles.Read("docs/diagnostics.md"))
        .Select(static row => new DocumentedMetric(row))
        .ToDictionary(static metric => metric.Name);

    [Fact]
    public async Task Scrape_after_an_upload_has_the_documented_metrics()
    {
        await using SampleHostProcess host = await SampleHostProcess.StartSampleAsync("Observed");
        using var client = new HttpClient { BaseAddress = host.Address };
        byte[] content = new byte[1000];
        using (HttpResponseMessage first = await client.AppendAsync("a", 0, content[..400], content.Length, ("X-File-Name", "a.bin")))
        using (HttpResponseMessage wrong = await client.AppendAsync("a", 100, content[..1], content.Length))
        using (HttpResponseMessage rest = await client.AppendAsync("a", 400, content[400..], content.Length))
        {
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Conflict, HttpStatusCode.OK), (first.StatusCode, wrong.StatusCode, rest.StatusCode));
        }

        string scrape = await client.GetStringAsync("/metrics", Token);
        Dictionary<string, string> scraped = TypeLine().Matches(scrape).ToDictionary(static line => line.Groups["name"].Value, static line => line.Groups["type"].Value);
        Assert.Contains(Prefix + "upload_completed_total", scraped.Keys);
        Assert.Contains(Prefix + "refusals_total", scraped.Keys);
        Assert.All(scraped, one => Assert.Equal(one.Value, Documented[one.Key].Type));
        Assert.Equal("Healthy", await client.GetStringAsync("/health", Token));
        Assert.Equal(content, await File.ReadAllBytesAsync(Assert.Single(host.Arrived), Token));
    }

    [Fact]
    public void Dashboard_queries_every_metric_and_no_other()
    {
        HashSet<string> queried = [];
        foreach (string query in ReadQueries())
        {
            string series = Assert.Single(MetricName().Matches(query).Select(static name => name.Value));
            DocumentedMetric metric = Assert.Single(Documented.Values, metric => metric.Series.Contains(series));
            queried.Add(metric.Name);
            IEnumerable<string> labels = Grouping().Matches(query)
                .SelectMany(static by => by.Groups["labels"].Value.Split(", "))
                .Concat(Selector().Matches(query).Select(static selector => selector.Groups["label"].Value));
            Assert.All(labels, label => Assert.Contains(label, metric.Labels));
        }

        Assert.Equal(Documented.Keys.Order(), queried.Order());
    }

    [Fact]
    public void Dashboard_legends_use_the_labels_of_their_queries()
    {
        foreach ((string query, string legend) in ReadTargets())
        {
            Assert.All(Placeholder().Matches(legend).Select(static one => one.Groups["label"].Value), label => Assert.Contains(label, Word().Matches(query).Select(static word => word.Value)));
        }
    }

    private static IEnumerable<string> ReadQueries() => ReadTargets().Select(static target => target.Query);

    private static List<(string Query, string Legend)> ReadTargets()
    {
        using JsonDocument dashboard = JsonDocument.Parse(RepositoryFiles.Read("samples/Observed/grafana-dashboard.json"));
        return [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(static panel => panel.GetProperty("type").GetString() != "row")
            .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray())
            .Select(static target => (target.GetProperty("expr").GetString()!, target.GetProperty("legendFormat").GetString()!))];
    }

    [GeneratedRegex(@"^\| `(?<name>resumable_uploads\.[a-z_.]+)` \| (?<type>counter|up-down counter|histogram|gauge) \| `(?<unit>[^`]+)` \| (?<attributes>[^|]+) \|", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    [GeneratedRegex("^# TYPE (?<name>resumable_uploads_[a-z_]+) (?<type>[a-z]+)", RegexOptions.Multiline)]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"resumable_uploads_[a-z_]+(?=[\[{)])(?!\) \()")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"by \((?:le, )?(?<labels>(?!le\))[a-z_, ]+)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"\{(?<label>[a-z_]+)!?=")]
    private static partial Regex Selector();

    [GeneratedRegex(@"\{\{(?<label>[a-z_]+)\}\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex("[a-z_]+")]
    private static partial Regex Word();

    /// <summary>A metric as Prometheus sees it.</summary>
    private sealed class DocumentedMetric
    {
        public DocumentedMetric(Match row)
        {
            string kind = row.Groups["type"].Value;
            string unit = row.Groups["unit"].Value switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
            Name = row.Groups["name"].Value.Replace('.', '_') + unit + (kind == "counter" ? "_total" : "");
            Type = kind == "up-down counter" ? "gauge" : kind;
            Series = kind == "histogram" ? [Name + "_bucket", Name + "_count", Name + "_sum"] : [Name];
            Labels = [.. row.Groups["attributes"].Value.Split(", ").Select(static attribute => attribute.Trim('`').Replace('.', '_'))];
        }

        public string Name { get; }

        public string Type { get; }

        public string[] Series { get; }

        public string[] Labels { get; }
    }
}

using ResumableUploads.FunctionalTests.Proxies.Servers;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Proxies.Measuring;

/// <summary>The tables of <c>docs/deployment/proxies.md</c>.</summary>
internal static class ProxyTable
{
    public const string Page = "docs/deployment/proxies.md";
    private const string Uploads = "uploads";
    private const string Details = "details";

    public static ProxyRow Read(ProxySetup setup) => new(Cells(Uploads, setup), Cells(Details, setup));

    /// <summary>Returns the proxies and configurations of both tables, in their order.</summary>
    public static (string[] Uploads, string[] Details) Names() =>
        ([.. Rows(Uploads).Select(static cells => $"{cells[0]}, {cells[1]}")], [.. Rows(Details).Select(static cells => $"{cells[0]}, {cells[1]}")]);

    /// <summary>Returns the lines of the two tables.</summary>
    public static string Format(ProxySetup setup, ProxyRow row) => $"{Line(setup, row.Uploads)}\n{Line(setup, row.Details)}";

    private static string Line(ProxySetup setup, IEnumerable<string> cells) => $"| {string.Join(" | ", [setup.Proxy, setup.Configuration, .. cells])} |";

    private static string[] Cells(string table, ProxySetup setup) =>
        Rows(table).SingleOrDefault(cells => cells[0] == setup.Proxy && cells[1] == setup.Configuration)?[2..] ?? [];

    private static IEnumerable<string[]> Rows(string table)
    {
        string page = RepositoryFiles.Read(Page);
        string begin = $"<!-- proxy-{table} -->\n";
        int start = page.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return page[start..page.IndexOf($"<!-- /proxy-{table} -->", StringComparison.Ordinal)]
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Skip(2)
            .Select(static line => line.Trim('|').Split('|').Select(static cell => cell.Trim()).ToArray());
    }
}

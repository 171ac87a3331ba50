using System.Text;
using System.Text.Json;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Compares the table of responses by version in <c>docs/protocols/ietf.md</c> with the server.</summary>
public class IetfVersionTableTests(ITestOutputHelper output)
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("0123456789");
    private static readonly string Page = Path.Combine(RepositoryFiles.Root, "docs", "protocols", "ietf.md");
    private const string Begin = "<!-- version-table -->\n";
    private const string End = "<!-- /version-table -->";

    [Fact]
    public async Task Version_table_of_the_documentation_matches_the_server()
    {
        var responses = new List<(string Operation, int Version, string Response)>();
        foreach (int version in IetfClient.Versions.Select(static row => row.Data))
        {
            await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade, configure: static options => options.MaxUploadSize = 1000);
            foreach ((string operation, Func<HttpClient, int, Task<HttpResponseMessage>> send) in Operations())
            {
                using HttpResponseMessage response = await send(app.Client, version);
                responses.Add((operation, version, await DescribeAsync(response)));
            }
        }

        string table = $"| Operation | Versions | Response |\n|---|---|---|\n{string.Concat(responses.GroupBy(static response => response.Operation).SelectMany(Rows))}";
        output.WriteLine(table);
        string page = await System.IO.File.ReadAllTextAsync(Page);
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        string expected = page[begin..page.IndexOf(End, StringComparison.Ordinal)];
        Assert.True(table == expected, $"{Page} differs from the server. The correct table is:\n{table}");
    }

    /// <summary>Returns the operations in the order of the table.</summary>
    private static IEnumerable<(string, Func<HttpClient, int, Task<HttpResponseMessage>>)> Operations()
    {
        yield return ("`OPTIONS`", static (client, version) => client.IetfAsync("OPTIONS", IetfApp.Url, version));
        yield return ("incomplete creation", static (client, version) => client.CreateAsync(false, File[..4], version));
        yield return ("complete creation", static (client, version) => client.CreateAsync(true, File, version));
        yield return ("creation with contradictory lengths", static (client, version) => client.CreateAsync(true, File, version, ("Upload-Length", "11")));
        yield return ("creation above `max-size`", static (client, version) => client.CreateAsync(false, [], version, ("Upload-Length", "1001")));
        yield return ("`HEAD`", static (client, version) => ToIncompleteAsync(client, version, url => client.HeadAsync(url, version)));
        yield return ("`HEAD` with `Upload-Offset`", static (client, version) => ToIncompleteAsync(client, version, url => client.HeadAsync(url, version, ("Upload-Offset", "4"))));
        yield return ("`GET`", static (client, version) => ToIncompleteAsync(client, version, url => client.IetfAsync("GET", url, version)));
        yield return ("incomplete append", static (client, version) => ToIncompleteAsync(client, version, url => client.AppendAsync(url, 4, false, File[4..7], version)));
        yield return ("last append", static (client, version) => ToIncompleteAsync(client, version, url => client.AppendAsync(url, 4, true, File[4..], version)));
        yield return ("append without completeness", static (client, version) => ToIncompleteAsync(client, version, url => AppendRestAsync(client, url, version, "application/partial-upload")));
        yield return ("append with another content type", static (client, version) => ToIncompleteAsync(client, version, url => AppendRestAsync(client, url, version, "text/plain", Completeness(version, true))));
        yield return ("append at a wrong offset", static (client, version) => ToIncompleteAsync(client, version, url => client.AppendAsync(url, 5, false, File[5..], version)));
        yield return ("append with a different length", static (client, version) => ToIncompleteAsync(client, version, url => client.AppendAsync(url, 4, false, File[4..7], version, ("Upload-Length", "11"))));
        yield return ("last append that is too short", static (client, version) => ToIncompleteAsync(client, version, url => client.AppendAsync(url, 4, true, ProblemExpectations.Chunked(File[4..9]), version)));
        yield return ("append beyond the length", static (client, version) => ToIncompleteAsync(client, version, url => client.AppendAsync(url, 4, false, [.. File[4..], 1], version)));
        yield return ("`HEAD` after an append beyond the length", static (client, version) => ToIncompleteAsync(client, version, async url =>
        {
            (await client.AppendAsync(url, 4, false, [.. File[4..], 1], version)).Dispose();
            return await client.HeadAsync(url, version);
        }));
        yield return ("`HEAD` of a complete upload", static (client, version) => ToCompleteAsync(client, version, url => client.HeadAsync(url, version)));
        yield return ("empty last append to a complete upload", static (client, version) => ToCompleteAsync(client, version, url => client.AppendAsync(url, 10, true, [], version)));
        yield return ("append to a complete upload", static (client, version) => ToCompleteAsync(client, version, url => client.AppendAsync(url, 10, true, File, version)));
        yield return ("`DELETE`", static (client, version) => ToIncompleteAsync(client, version, url => client.IetfAsync("DELETE", url, version)));
        yield return ("`DELETE` with `Upload-Offset`", static (client, version) => ToIncompleteAsync(client, version, url => client.IetfAsync("DELETE", url, version, null, ("Upload-Offset", "4"))));
        yield return ("`HEAD` of an unknown upload", static (client, version) => client.HeadAsync($"{IetfApp.Url}/{new string('0', 40)}", version));
        yield return ("`POST` to an upload", static (client, version) => ToIncompleteAsync(client, version, url => client.IetfAsync("POST", url, version, new ByteArrayContent(File), Completeness(version, true))));
    }

    /// <summary>Sends a request to a new upload of 10 bytes, of which 4 are stored.</summary>
    private static async Task<HttpResponseMessage> ToIncompleteAsync(HttpClient client, int version, Func<string, Task<HttpResponseMessage>> send)
    {
        using HttpResponseMessage created = await client.CreateAsync(false, File[..4], version, ("Upload-Length", "10"));
        return await send(created.Header("Location")!);
    }

    private static async Task<HttpResponseMessage> ToCompleteAsync(HttpClient client, int version, Func<string, Task<HttpResponseMessage>> send)
    {
        using HttpResponseMessage created = await client.CreateAsync(true, File, version);
        return await send(created.Header("Location")!);
    }

    private static Task<HttpResponseMessage> AppendRestAsync(HttpClient client, string url, int version, string type, params (string, string)[] headers)
    {
        var content = new ByteArrayContent(File[4..]);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return client.IetfAsync("PATCH", url, version, content, [("Upload-Offset", "4"), .. headers]);
    }

    private static async Task<string> DescribeAsync(HttpResponseMessage response)
    {
        var text = new StringBuilder($"{(int)response.StatusCode}");
        foreach (string name in new[] { "Location", "Upload-Offset", "Upload-Complete", "Upload-Incomplete", "Upload-Length", "Upload-Limit", "Accept-Patch", "Allow" })
        {
            if (response.Header(name) is { } value)
            {
                text.Append($", `{name}: {(name is "Location" ? "..." : name is "Upload-Limit" ? value.Split("=6")[0].Replace("max-age", "max-age=...").Replace("expires", "expires=...") : value)}`");
            }
        }

        // A response to HEAD has no body.
        if (await response.Content.ReadAsStringAsync() is { Length: > 0 } body)
        {
            using JsonDocument problem = JsonDocument.Parse(body);
            text.Append($", {problem.RootElement.GetProperty("type").GetString()!.Split('#', ':')[^1]}");
        }

        return text.ToString();
    }

    /// <summary>Returns one row for each range of versions with the same response.</summary>
    private static IEnumerable<string> Rows(IGrouping<string, (string Operation, int Version, string Response)> operation)
    {
        (string Operation, int Version, string Response)[] all = [.. operation];
        for (int begin = 0, end; begin < all.Length; begin = end)
        {
            for (end = begin + 1; end < all.Length && all[end].Response == all[begin].Response; end++)
            {
            }

            string versions = end - begin == 1 ? $"{all[begin].Version}" : $"{all[begin].Version} to {all[end - 1].Version}";
            yield return $"| {operation.Key} | {versions} | {all[begin].Response} |\n";
        }
    }
}

using System.Text;
using System.Text.Json;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>What each version answers to each operation: the table in <c>VersionTable.md</c> is what the server does.</summary>
public class VersionTableTests(ITestOutputHelper output)
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("0123456789");
    private static readonly string Path = System.IO.Path.Combine(RepositoryFiles.Root, "tests", "ResumableUploads.FunctionalTests", "Protocols", "Ietf", "VersionTable.md");

    [Fact]
    public async Task The_table_of_versions_is_whole_and_true()
    {
        var answers = new List<(string Operation, int Version, string Answer)>();
        foreach (int version in IetfClient.Versions.Select(static row => row.Data))
        {
            await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade, configure: static options => options.MaxUploadSize = 1000);
            foreach ((string operation, Func<HttpClient, int, Task<HttpResponseMessage>> send) in Operations())
            {
                using HttpResponseMessage answer = await send(app.Client, version);
                answers.Add((operation, version, await TellAsync(answer)));
            }
        }

        string table = $"| operation | versions | answer |\n|---|---|---|\n{string.Concat(answers.GroupBy(static answer => answer.Operation).SelectMany(Rows))}";
        output.WriteLine(table);
        string expected = (await System.IO.File.ReadAllTextAsync(Path)).Split("\n\n", 2)[1];
        Assert.True(table == expected, $"The table, to be pasted:\n{table}");
    }

    /// <summary>What is sent, in its order: some of it stands on what came before.</summary>
    private static IEnumerable<(string, Func<HttpClient, int, Task<HttpResponseMessage>>)> Operations()
    {
        yield return ("`OPTIONS`", static (client, version) => client.IetfAsync("OPTIONS", IetfApp.Url, version));
        yield return ("creation, a part", static (client, version) => client.CreateAsync(false, File[..4], version));
        yield return ("creation, all of it", static (client, version) => client.CreateAsync(true, File, version));
        yield return ("creation with two lengths", static (client, version) => client.CreateAsync(true, File, version, ("Upload-Length", "11")));
        yield return ("creation above `max-size`", static (client, version) => client.CreateAsync(false, [], version, ("Upload-Length", "1001")));
        yield return ("`HEAD`", static (client, version) => ToPartAsync(client, version, url => client.HeadAsync(url, version)));
        yield return ("`HEAD` with `Upload-Offset`", static (client, version) => ToPartAsync(client, version, url => client.HeadAsync(url, version, ("Upload-Offset", "4"))));
        yield return ("`GET`", static (client, version) => ToPartAsync(client, version, url => client.IetfAsync("GET", url, version)));
        yield return ("append, a part", static (client, version) => ToPartAsync(client, version, url => client.AppendAsync(url, 4, false, File[4..7], version)));
        yield return ("append, the last", static (client, version) => ToPartAsync(client, version, url => client.AppendAsync(url, 4, true, File[4..], version)));
        yield return ("append without completeness", static (client, version) => ToPartAsync(client, version, url => WithoutAsync(client, url, version, "application/partial-upload")));
        yield return ("append of another type", static (client, version) => ToPartAsync(client, version, url => WithoutAsync(client, url, version, "text/plain", Completeness(version, true))));
        yield return ("append at another offset", static (client, version) => ToPartAsync(client, version, url => client.AppendAsync(url, 5, false, File[5..], version)));
        yield return ("append with another length", static (client, version) => ToPartAsync(client, version, url => client.AppendAsync(url, 4, false, File[4..7], version, ("Upload-Length", "11"))));
        yield return ("last append that is too short", static (client, version) => ToPartAsync(client, version, url => client.AppendAsync(url, 4, true, ProblemExpectations.Chunked(File[4..9]), version)));
        yield return ("append past the length", static (client, version) => ToPartAsync(client, version, url => client.AppendAsync(url, 4, false, [.. File[4..], 1], version)));
        yield return ("`HEAD` after that", static (client, version) => ToPartAsync(client, version, async url =>
        {
            (await client.AppendAsync(url, 4, false, [.. File[4..], 1], version)).Dispose();
            return await client.HeadAsync(url, version);
        }));
        yield return ("`HEAD` of a finished upload", static (client, version) => ToFinishedAsync(client, version, url => client.HeadAsync(url, version)));
        yield return ("empty last append to a finished upload", static (client, version) => ToFinishedAsync(client, version, url => client.AppendAsync(url, 10, true, [], version)));
        yield return ("append to a finished upload", static (client, version) => ToFinishedAsync(client, version, url => client.AppendAsync(url, 10, true, File, version)));
        yield return ("`DELETE`", static (client, version) => ToPartAsync(client, version, url => client.IetfAsync("DELETE", url, version)));
        yield return ("`DELETE` with `Upload-Offset`", static (client, version) => ToPartAsync(client, version, url => client.IetfAsync("DELETE", url, version, null, ("Upload-Offset", "4"))));
        yield return ("`HEAD` of what is not there", static (client, version) => client.HeadAsync($"{IetfApp.Url}/{new string('0', 40)}", version));
        yield return ("`POST` to an upload", static (client, version) => ToPartAsync(client, version, url => client.IetfAsync("POST", url, version, new ByteArrayContent(File), Completeness(version, true))));
    }

    /// <summary>Sends something to an upload of 10 bytes that has 4.</summary>
    private static async Task<HttpResponseMessage> ToPartAsync(HttpClient client, int version, Func<string, Task<HttpResponseMessage>> send)
    {
        using HttpResponseMessage created = await client.CreateAsync(false, File[..4], version, ("Upload-Length", "10"));
        return await send(created.Header("Location")!);
    }

    private static async Task<HttpResponseMessage> ToFinishedAsync(HttpClient client, int version, Func<string, Task<HttpResponseMessage>> send)
    {
        using HttpResponseMessage created = await client.CreateAsync(true, File, version);
        return await send(created.Header("Location")!);
    }

    private static Task<HttpResponseMessage> WithoutAsync(HttpClient client, string url, int version, string type, params (string, string)[] headers)
    {
        var content = new ByteArrayContent(File[4..]);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return client.IetfAsync("PATCH", url, version, content, [("Upload-Offset", "4"), .. headers]);
    }

    private static async Task<string> TellAsync(HttpResponseMessage answer)
    {
        var text = new StringBuilder($"{(int)answer.StatusCode}");
        foreach (string name in new[] { "Location", "Upload-Offset", "Upload-Complete", "Upload-Incomplete", "Upload-Length", "Upload-Limit", "Accept-Patch", "Allow" })
        {
            if (answer.Header(name) is { } value)
            {
                text.Append($", `{name}: {(name is "Location" ? "..." : name is "Upload-Limit" ? value.Split("=6")[0].Replace("max-age", "max-age=...").Replace("expires", "expires=...") : value)}`");
            }
        }

        // An answer to HEAD has no body.
        if (await answer.Content.ReadAsStringAsync() is { Length: > 0 } body)
        {
            using JsonDocument problem = JsonDocument.Parse(body);
            text.Append($", {problem.RootElement.GetProperty("type").GetString()!.Split('#', ':')[^1]}");
        }

        return text.ToString();
    }

    /// <summary>One row for versions that follow one another and say the same.</summary>
    private static IEnumerable<string> Rows(IGrouping<string, (string Operation, int Version, string Answer)> operation)
    {
        (string Operation, int Version, string Answer)[] all = [.. operation];
        for (int begin = 0, end; begin < all.Length; begin = end)
        {
            for (end = begin + 1; end < all.Length && all[end].Answer == all[begin].Answer; end++)
            {
            }

            string versions = end - begin == 1 ? $"{all[begin].Version}" : $"{all[begin].Version} to {all[end - 1].Version}";
            yield return $"| {operation.Key} | {versions} | {all[begin].Answer} |\n";
        }
    }
}

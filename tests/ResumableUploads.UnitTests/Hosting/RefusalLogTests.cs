using System.Text.RegularExpressions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting;

/// <summary>The log line of each refused request.</summary>
public partial class RefusalLogTests
{
    [Fact]
    public async Task Refusal_is_logged_with_problem_key_protocol_endpoint_and_kind_of_owner()
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: true);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[4], 10);
        using HttpResponseMessage stale = await app.Client.AppendAsync("f", 1, new byte[4], 10);
        string line = Assert.Single(Refusals(app));
        Assert.Matches(@"^Information ResumableUploads\[308\] A request was refused with 409 \(mismatching-upload-offset\): upload [0-9a-f]{8}, protocol file-id, endpoint /upload, owner anonymous\. $", line);
    }

    /// <summary>Requests that any client can send leave one line each, and none above level Information.</summary>
    [Fact]
    public async Task Faults_of_clients_are_neither_warnings_nor_errors()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options =>
            {
                options.MaxUploadSize = 100;
                options.OnCreating = static (upload, _) =>
                {
                    if (upload.Length == 66)
                    {
                        upload.Reject(403, "No uploads of this size.");
                    }

                    return Task.CompletedTask;
                };
            },
            onTestHost: true);
        int start = app.Log.Lines.Count;
        using HttpResponseMessage valid = await app.Client.AppendAsync("f", 0, new byte[4], 10);
        foreach (Func<Task<HttpResponseMessage>> send in new Func<Task<HttpResponseMessage>>[]
        {
            () => app.Client.AppendAsync("f", 1, new byte[4], 10),
            () => app.Client.AppendAsync("f", 4, new byte[20], 10),
            () => app.Client.AppendAsync("f", 4, new byte[4], 11),
            () => app.Client.AppendAsync("g", 0, new byte[4], 1000),
            () => app.Client.AppendAsync("g", 0, new byte[4], 66),
            () => app.Client.AppendAsync("g", 0, new byte[4], 10, ("Content-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")),
            () => app.Client.AppendAsync("", 0, new byte[4], 10),
            () => app.Client.TusAsync("PATCH", "/upload/" + new string('0', 40), [], ("Upload-Offset", "0")),
            () => app.Client.TusAsync("POST", "/upload", null, ("Upload-Length", "-1")),
            () => app.Client.IetfAsync("POST", "/upload", IetfClient.Newest, new ByteArrayContent([1]), ("Upload-Complete", "maybe")),
        })
        {
            int before = Refusals(app).Length;
            using HttpResponseMessage refused = await send();
            Assert.InRange((int)refused.StatusCode, 400, 499);
            Assert.Equal(before + 1, Refusals(app).Length);
        }

        Assert.DoesNotContain(app.Log.Lines.Skip(start), static line => HighLevel().IsMatch(line));
    }

    private static string[] Refusals(TestApp app) => [.. app.Log.Lines.Where(static line => line.Contains("ResumableUploads[308]", StringComparison.Ordinal))];

    [GeneratedRegex("^(Warning|Error|Critical) ")]
    private static partial Regex HighLevel();
}

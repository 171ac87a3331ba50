using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.FileId;

/// <summary>Invalid requests to a real server return a 4xx status, never a 5xx, and change nothing (docs/protocols/file-id.md#errors).</summary>
public sealed partial class FileIdBadRequestTests(FileIdBadRequestTests.SharedServer server) : IClassFixture<FileIdBadRequestTests.SharedServer>
{
    public static TheoryData<string> Names => [.. FileIdBadRequestCase.All.Select(static testCase => testCase.Name)];

    [Fact]
    public void Cases_contain_at_least_150_distinct_requests() => Assert.True(FileIdBadRequestCase.All.Select(static testCase => testCase.Request).Distinct().Count() >= 150);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Bad_request_returns_4xx_and_changes_nothing(string name)
    {
        FileIdBadRequestCase testCase = FileIdBadRequestCase.All.Single(testCase => testCase.Name == name);
        await server.RestoreUploadsAsync();
        SortedDictionary<string, string> before = server.ReadFiles();
        await using (RawConnection connection = await RawConnection.OpenAsync(server.App.Address))
        {
            await connection.SendAsync(testCase.Request);
            RawResponse? response = await connection.ReadResponseAsync(toHead: testCase.Request.StartsWith("HEAD", StringComparison.Ordinal));
            Assert.NotNull(response);
            AssertResponse(testCase, response);
        }

        Assert.Equal(before, server.ReadFiles());
        Assert.Equal(5, await server.App.Client.StatusAsync("known"));
        Assert.Equal(3, await server.App.Client.StatusAsync("done"));
        Assert.Equal(0, await server.App.Client.StatusAsync("new"));
        Assert.Single(server.App.Finished);
    }

    private static void AssertResponse(FileIdBadRequestCase testCase, RawResponse response)
    {
        if (testCase.Type is null)
        {
            Assert.InRange(response.Status, 400, 499);
            return;
        }

        Assert.Equal((testCase.Status, "application/problem+json"), (response.Status, response.Header("Content-Type")));
        Assert.Equal("no-store", response.Header("Cache-Control"));
        Assert.Equal(testCase.Status == 405, response.Headers.Contains("Allow"));
        if (!testCase.Request.StartsWith("HEAD", StringComparison.Ordinal))
        {
            using JsonDocument problem = JsonDocument.Parse(response.Body);
            Assert.Equal((testCase.Type, testCase.Status), (problem.RootElement.GetProperty("type").GetString(), problem.RootElement.GetProperty("status").GetInt32()));
            string? number = problem.RootElement.TryGetProperty("expected-offset", out JsonElement offset) ? offset.GetRawText() : null;
            Assert.Equal(number, response.Header("X-Start-Byte"));
            Assert.True(number is not null || testCase.Status != 409);
        }
    }

    [GeneratedRegex("\"writes\":[0-9]+,|\"check\":\"[^\"]*\"")]
    private static partial Regex ChangingMembers();

    /// <summary>The server that all cases share.</summary>
    public sealed class SharedServer : IAsyncLifetime
    {
        public TestApp App { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            App = await TestApp.StartAsync(static options =>
            {
                options.MaxUploadSize = 1_000_000;

                // A sweep could change a file between the two times that a test reads it.
                options.Timeouts.SweepInterval = TimeSpan.FromDays(1);
            });
            (await App.Client.AppendAsync("done", 0, "abc"u8.ToArray(), 3)).Dispose();
        }

        /// <summary>Creates the uploads of the cases again if a case has changed them, so that only that case fails.</summary>
        public async Task RestoreUploadsAsync()
        {
            if (await App.Client.StatusAsync("known") == 5 && App.Finished.Count == 1 && await App.Client.StatusAsync("new") == 0)
            {
                return;
            }

            (await App.Client.DeleteUploadAsync("known")).Dispose();
            (await App.Client.DeleteUploadAsync("new")).Dispose();
            App.Finished.RemoveRange(1, App.Finished.Count - 1);
            (await App.Client.AppendAsync("known", 0, "HELLO"u8.ToArray(), 10)).Dispose();
        }

        public ValueTask DisposeAsync() => App.DisposeAsync();

        /// <summary>
        /// Returns the content of all files, and of a record file the last record. Ignores the members of a record that change when a staged append is discarded.
        /// </summary>
        public SortedDictionary<string, string> ReadFiles()
        {
            var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (string path in App.StoredFiles)
            {
                string text = File.ReadAllText(path, Encoding.Latin1);
                int start = Math.Max(text.LastIndexOf("{\"format\":3,\"nonce\"", StringComparison.Ordinal), 0);
                files.Add(path, ChangingMembers().Replace(text[start..], ""));
            }

            return files;
        }
    }
}

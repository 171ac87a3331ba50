using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.FileId;

/// <summary>Wrong requests on a real server: each gets its 4xx, none a 5xx, and none changes anything.</summary>
public sealed partial class BadInputTests(BadInputTests.Server server) : IClassFixture<BadInputTests.Server>
{
    public static TheoryData<string> Names => [.. BadRequestRow.All.Select(static row => row.Name)];

    [Fact]
    public void There_are_at_least_150_different_requests() => Assert.True(BadRequestRow.All.Select(static row => row.Request).Distinct().Count() >= 150);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_wrong_request_gets_its_4xx_and_changes_nothing(string name)
    {
        BadRequestRow row = BadRequestRow.All.Single(row => row.Name == name);
        await server.RepairAsync();
        SortedDictionary<string, string> before = server.Files();
        await using (RawConnection connection = await RawConnection.OpenAsync(server.App.Address))
        {
            await connection.SendAsync(row.Request);
            RawResponse? response = await connection.ReadResponseAsync(toHead: row.Request.StartsWith("HEAD", StringComparison.Ordinal));
            Assert.NotNull(response);
            ShouldBe(row, response);
        }

        Assert.Equal(before, server.Files());
        Assert.Equal(5, await server.App.Client.StatusAsync("known"));
        Assert.Equal(3, await server.App.Client.StatusAsync("done"));
        Assert.Equal(0, await server.App.Client.StatusAsync("new"));
        Assert.Single(server.App.Finished);
    }

    private static void ShouldBe(BadRequestRow row, RawResponse response)
    {
        if (row.Type is null)
        {
            Assert.InRange(response.Status, 400, 499);
            return;
        }

        Assert.Equal((row.Status, "application/problem+json"), (response.Status, response.Header("Content-Type")));
        Assert.Equal("no-store", response.Header("Cache-Control"));
        Assert.Equal(row.Status == 405, response.Headers.Contains("Allow"));
        if (!row.Request.StartsWith("HEAD", StringComparison.Ordinal))
        {
            using JsonDocument problem = JsonDocument.Parse(response.Body);
            Assert.Equal((row.Type, row.Status), (problem.RootElement.GetProperty("type").GetString(), problem.RootElement.GetProperty("status").GetInt32()));
            string? number = problem.RootElement.TryGetProperty("expected-offset", out JsonElement offset) ? offset.GetRawText() : null;
            Assert.Equal(number, response.Header("X-Start-Byte"));
            Assert.True(number is not null || row.Status != 409);
        }
    }

    [GeneratedRegex("\"writes\":[0-9]+,|\"check\":\"[^\"]*\"")]
    private static partial Regex OwnCount();

    /// <summary>One server for the whole table.</summary>
    public sealed class Server : IAsyncLifetime
    {
        public TestApp App { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            App = await TestApp.StartAsync(static options => options.MaxUploadSize = 1_000_000);
            (await App.Client.AppendAsync("done", 0, "abc"u8.ToArray(), 3)).Dispose();
        }

        /// <summary>Makes what the rows are about, and makes it again where a row has changed it: so that only that row fails.</summary>
        public async Task RepairAsync()
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

        /// <summary>All files that there are, with what they say. A store that holds bytes back counts its own writes meanwhile.</summary>
        public SortedDictionary<string, string> Files()
        {
            var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (string path in Directory.EnumerateFiles(App.Directory, "*", SearchOption.AllDirectories))
            {
                files.Add(path, OwnCount().Replace(File.ReadAllText(path, Encoding.Latin1), ""));
            }

            return files;
        }
    }
}

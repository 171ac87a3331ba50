using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>
/// Ids, metadata and numbers at their limits and one beyond, on a real server. BadInputTests has more cases for the file-id protocol.
/// </summary>
public sealed class LimitTests(LimitTests.Server server) : IClassFixture<LimitTests.Server>
{
    /// <summary>Hostile values for any header. Each character is one byte.</summary>
    private static readonly string[] Hostile =
    [
        "", "0", "-0", "00", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "999999999999999", "1000000000000000", "1e999", "0x7fffffff", "?2", "?", "()", "(1", ":AA", "\"",
        "\"\\", "@1", "=", ";", ",", ", ,", "*", "../../etc/passwd", "%00", "%2e%2e%2f", "\u00ff\u00fe", "\u00c0\u00ae", "\u00f0\u009f\u0098\u0080", "a\tb", "a\x01b", "{}", "[[[[[[[[", "null",
        new string('9', 7000), new string(',', 7000), new string('(', 7000), new string(' ', 7000) + "x", new string(';', 7000), new string('\u00e9', 7000),
    ];

    private static readonly string[] Headers =
    [
        "X-File-Id", "X-Start-Byte", "X-File-Size", "X-File-Name", "Content-Type", "Content-Digest", "Repr-Digest", "Want-Repr-Digest", "Content-Disposition", "Cookie", "Upload-Length", "Upload-Offset",
        "Upload-Metadata", "Upload-Concat", "Upload-Checksum", "Upload-Defer-Length", "Upload-Complete", "Upload-Incomplete", "Upload-Draft-Interop-Version", "Tus-Resumable", "Trailer", "Expect",
    ];

    public static TheoryData<string> Names => [.. LimitRow.All.Select(static row => row.Name)];

    public static TheoryData<string, string> Protocols => new()
    {
        { "file-id", "X-File-Id: hostile" },
        { "tus", "Tus-Resumable: 1.0.0" },
        { "ietf", "Upload-Draft-Interop-Version: 10" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Request_at_a_limit_succeeds_and_one_beyond_returns_4xx(string name)
    {
        LimitRow row = LimitRow.All.Single(row => row.Name == name);
        string part = row.Request.Contains(LimitRow.Part, StringComparison.Ordinal) ? await server.PartAsync() : "";
        int before = server.CountUploads();
        RawResponse response = await server.SendAsync(row.Request.Replace(LimitRow.Part, part, StringComparison.Ordinal));
        Assert.Equal((row.Status, row.FullType), (response.Status, row.Request.StartsWith("HEAD", StringComparison.Ordinal) ? row.FullType : TypeOf(response)));
        Assert.Equal(row.FullType is not null ? "application/problem+json" : null, row.FullType is not null ? response.Header("Content-Type") : null);
        Assert.True(row.Status < 400 || server.CountUploads() == before, "A rejected request has created an upload.");
        server.AssertNothingElsewhere();
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Hostile_header_value_never_returns_5xx(string protocol, string header)
    {
        foreach (string name in Headers)
        {
            foreach (string value in Hostile)
            {
                foreach (string target in new[] { "POST /upload", "PATCH /upload/" + new string('0', 40), "HEAD /upload" })
                {
                    RawResponse response = await server.SendAsync($"{target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n{header}\r\n{name}: {value}\r\n\r\n");
                    Assert.True(response.Status is >= 200 and < 500, $"{protocol}, {target}, {name}: {value[..Math.Min(value.Length, 40)]}: {response.Status} {response.Body}");
                }
            }
        }

        server.AssertNothingElsewhere();
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task Longest_part_list_is_returned_unchanged(HttpProtocols http)
    {
        await using TestApp app = await TestApp.StartAsync(protocols: http);
        if (http == HttpProtocols.Http2)
        {
            app.Client.DefaultRequestVersion = System.Net.HttpVersion.Version20;
            app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }

        string part = await app.Client.CreateAsync("/upload", 3, ("Upload-Concat", "partial"));
        string concat = "final;" + string.Join(' ', Enumerable.Repeat(part, 334));
        string metadata = "k " + new string('A', 1024);
        string joined = await CreateFinalAsync(app.Client, concat, metadata);
        using HttpResponseMessage head = await app.Client.TusAsync("HEAD", joined);
        Assert.Equal((200, concat, metadata), ((int)head.StatusCode, head.Header("Upload-Concat"), head.Header("Upload-Metadata")));
    }

    private static async Task<string> CreateFinalAsync(HttpClient client, string concat, string metadata)
    {
        using HttpResponseMessage created = await client.TusAsync("POST", "/upload", null, ("Upload-Concat", concat), ("Upload-Metadata", metadata));
        Assert.Equal(201, (int)created.StatusCode);
        return created.Header("Location")!;
    }

    private static string? TypeOf(RawResponse response)
    {
        if (response.Header("Content-Type") != "application/problem+json")
        {
            return null;
        }

        using JsonDocument problem = JsonDocument.Parse(response.Body);
        Assert.Equal(response.Status, problem.RootElement.GetProperty("status").GetInt32());
        return problem.RootElement.GetProperty("type").GetString();
    }

    /// <summary>One server for the whole table. A foreign file is next to its directory.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("uploads-test-");
        private TestApp _app = null!;

        private string Root => Path.Combine(_parent.FullName, "files");

        private string Neighbor => Path.Combine(_parent.FullName, "neighbor");

        public async ValueTask InitializeAsync()
        {
            Directory.CreateDirectory(Root);
            await File.WriteAllTextAsync(Neighbor, "x");
            _app = await TestApp.StartAsync(static options => options.Limits.MaxUploadsPerOwner = int.MaxValue, directory: Root);
        }

        public async Task<RawResponse> SendAsync(string request)
        {
            await using RawConnection connection = await RawConnection.OpenAsync(_app.Address);
            await connection.SendAsync(request);
            RawResponse? response;
            do
            {
                response = await connection.ReadResponseAsync(toHead: request.StartsWith("HEAD", StringComparison.Ordinal));
                Assert.NotNull(response);
            }
            while (response.Status < 200);
            return response;
        }

        /// <summary>Returns the id of a complete partial upload.</summary>
        public async Task<string> PartAsync()
        {
            string part = await _app.Client.CreateAsync("/upload", 3, ("Upload-Concat", "partial"));
            Assert.Equal(204, await _app.Client.AppendChunkAsync(part, 0, [1, 2, 3]).StatusOfAsync());
            return part[(part.LastIndexOf('/') + 1)..];
        }

        public int CountUploads() => Directory.GetFiles(Root, "record.json", SearchOption.AllDirectories).Length;

        public void AssertNothingElsewhere()
        {
            Assert.Equal(["files", "neighbor"], Directory.EnumerateFileSystemEntries(_parent.FullName).Select(Path.GetFileName).Order());
            Assert.Equal("x", File.ReadAllText(Neighbor));
            string[] names = [.. Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Select(Path.GetFileName).OfType<string>().Distinct()];
            Assert.All(names, static name => Assert.Matches("^([0-9a-z-]+|[0-9a-f]{32}\\.(data|mark|lock|[0-9a-f]{32}\\.outcome)|record\\.json|outcome)$", name));
            Assert.All(Directory.EnumerateDirectories(Path.Combine(Root, "uploads")).Select(Path.GetFileName), static owner => Assert.True(UploadKey.IsValidPart(owner)));
        }

        public async ValueTask DisposeAsync()
        {
            await _app.DisposeAsync();
            UploadDirectory.Delete(_parent.FullName);
        }
    }
}

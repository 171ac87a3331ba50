using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.FileId;

/// <summary>File ids that look like paths or commands, and requests to other paths (docs/protocols/file-id.md#file-id).</summary>
public sealed class FileIdHostileIdTests : IAsyncLifetime
{
    private readonly string _parent = Directory.CreateTempSubdirectory("uploads-test-").FullName;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync() => await TemporaryDirectory.DeleteAsync(_parent);

    /// <summary>Returns ids in which each character is one byte on the wire.</summary>
    private static List<string> Ids() =>
        [
            "../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "C:\\Windows\\win.ini", "\\\\server\\share\\x", "file:///etc/passwd", ".", "..", "/", "~root", "-", "--help",
            "CON", "NUL.txt", "COM1", "lpt1.log", "aux", "caf\u00e9", "caf\u00c3\u00a9", "caf%C3%A9", "caf%E9", "%2e%2e%2f", "%2e%2e%2fetc%2fpasswd", "%00", "a%0d%0aX-Evil: 1",
            "$(reboot)", "`reboot`", "'; drop table uploads; --", "<script>alert(1)</script>", "{0}", "%s%n", "a,b", "\"quoted\"", "a\tb", "a b", "a  b", "a:b", "a|b", "a?b", "a*b",
            "record.json", "uploads", "temp", "0", "null", "A", "a", new string('a', 1024), new string('\u00ff', 1024), string.Concat(Enumerable.Repeat("../", 341)),
            Latin1("日本語.txt-5-1"), Latin1("😀😀😀"), Latin1("ﷺ\u202egpj.exe"), "\u0080", "\u00ff\u00fe", "a\u00a0b", "\u00c0\u00ae\u00c0\u00ae/",
        ];

    [Fact]
    public async Task Hostile_ids_are_distinct_uploads_and_never_part_of_a_path()
    {
        string root = Directory.CreateDirectory(Path.Combine(_parent, "files")).FullName;
        File.WriteAllText(Path.Combine(_parent, "neighbor"), "x");
        List<string> ids = Ids();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        await using TestApp app = await TestApp.StartAsync(directory: root);
        string[] before = Listing(root);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        for (int i = 0; i < ids.Count; i++)
        {
            Assert.Equal((200, "0"), await SendAsync(connection, "GET /status", ids[i]));
            Assert.Equal((200, (i + 1).ToString()), await SendAsync(connection, "POST /upload", ids[i], new string('x', i + 1), "X-File-Size: 100000"));
        }

        for (int i = 0; i < ids.Count; i++)
        {
            Assert.Equal((200, (i + 1).ToString()), await SendAsync(connection, "GET /status", ids[i]));
            Assert.Equal((200, (i + 2).ToString()), await SendAsync(connection, "POST /upload", ids[i], "y", $"X-Start-Byte: {i + 1}"));
        }

        Assert.Equal(before, Listing(root));
        string[] names = [.. Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories).Select(Path.GetFileName).OfType<string>().Distinct()];
        Assert.All(names, static name => Assert.Matches("^([0-9a-z-]+|[0-9a-f]{32}\\.(data|mark|lock)|record\\.json)$", name));
        string[] own = ["uploads", "temp", "trash", "quarantine", "record.json"];
        foreach (string id in ids.Where(id => id.Length > 2 && !own.Contains(id)))
        {
            Assert.DoesNotContain(names, name => name.Contains(id, StringComparison.OrdinalIgnoreCase));
        }

        Assert.Equal(ids.Count, Directory.EnumerateFiles(root, "*.data", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public async Task Completed_upload_with_hostile_id_is_moved_only_into_its_directory()
    {
        string inbox = Path.Combine(_parent, "inbox");
        string root = Directory.CreateDirectory(Path.Combine(_parent, "files")).FullName;
        List<string> ids = Ids();
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnCompleted = async (upload, cancellationToken) => await upload.MoveToDirectoryAsync(inbox, cancellationToken), directory: root);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        foreach (string id in ids)
        {
            Assert.Equal((200, "1"), await SendAsync(connection, "POST /upload", id, "x"));
        }

        Assert.Equal(["files", "inbox"], Directory.EnumerateFileSystemEntries(_parent).Select(Path.GetFileName).Order());
        Assert.Equal(ids.Count, Directory.GetFiles(inbox).Length);
        Assert.Empty(Directory.GetDirectories(inbox));
    }

    [Fact]
    public async Task Outer_whitespace_of_id_is_trimmed_by_the_server()
    {
        await using TestApp app = await TestApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        Assert.Equal((200, "1"), await SendAsync(connection, "POST /upload", " \t a b \t", "x", "X-File-Size: 9"));
        Assert.Equal((200, "1"), await SendAsync(connection, "GET /status", "a b"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Other_headers_are_decoded_as_UTF8(bool withServices)
    {
        await using TestApp app = await TestApp.StartAsync(
            services: builder =>
            {
                if (withServices)
                {
                    builder.Services.AddResumableUploads();
                    builder.Services.AddResumableUploads();
                }
            },
            after: static app => app.Run(static context => context.Response.WriteAsync(context.Request.Headers["X-Other"].ToString())));
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("GET /else", "X-Other: caf\u00c3\u00a9");
        Assert.Equal((200, "café"), await ReadResponseAsync(connection));
        await connection.SendHeadAsync("GET /else", "X-Other: caf\u00e9");
        Assert.Equal(400, (await connection.ReadResponseAsync())?.Status);
    }

    [Fact]
    public async Task Header_encoding_selector_of_the_application_is_kept()
    {
        await using TestApp app = await TestApp.StartAsync(
            services: static builder => builder.WebHost.ConfigureKestrel(static kestrel =>
                kestrel.RequestHeaderEncodingSelector = static name => name == "X-Other" ? Encoding.Latin1 : null),
            after: static app => app.Run(static context => context.Response.WriteAsync(context.Request.Headers["X-Other"].ToString())));
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("GET /else", "X-Other: caf\u00e9");
        Assert.Equal((200, "café"), await ReadResponseAsync(connection));
        Assert.Equal((200, "0"), await SendAsync(connection, "GET /status", "caf\u00e9"));
    }

    [Theory]
    [InlineData("caf\u00e9.pdf-3-456", null, "café.pdf")]
    [InlineData("caf\u00c3\u00a9.pdf-3-456", null, "café.pdf")]
    [InlineData("x-3-456", "caf\u00e9.pdf", "café.pdf")]
    [InlineData("x-3-456", "caf%C3%A9.pdf", "café.pdf")]
    public async Task File_name_with_accent_is_decoded_in_every_encoding(string id, string? name, string expected)
    {
        await using TestApp app = await TestApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        Assert.Equal((200, "3"), await SendAsync(connection, "POST /upload", id, "abc", name is null ? "X-Start-Byte: 0" : $"X-File-Name: {name}"));
        Assert.Equal(expected, Assert.Single(app.Finished).Upload.FileName);
    }

    [Theory]
    [InlineData("GET /")]
    [InlineData("GET /status")]
    [InlineData("POST /status")]
    [InlineData("GET /Status")]
    [InlineData("GET /status?X-File-Id=a")]
    [InlineData("GET /statuses", "X-File-Id: a")]
    [InlineData("GET /status/x", "X-File-Id: a")]
    [InlineData("POST /upload/x", "X-File-Id: a")]
    [InlineData("POST /uploads", "X-File-Id: a")]
    [InlineData("POST /uploadx", "X-File-Id: a")]
    [InlineData("POST /x/upload", "X-File-Id: a")]
    [InlineData("POST //upload", "X-File-Id: a")]
    [InlineData("POST /upload//", "X-File-Id: a")]
    [InlineData("POST /upload%2F", "X-File-Id: a")]
    [InlineData("POST /upload%2Fx", "X-File-Id: a")]
    [InlineData("POST /upload;x=1", "X-File-Id: a")]
    [InlineData("POST /api", "X-File-Id: a")]
    [InlineData("OPTIONS /upload", "Origin: http://a", "Access-Control-Request-Method: POST")]
    [InlineData("OPTIONS /status", "Origin: http://a", "Access-Control-Request-Method: GET")]
    public async Task Request_to_other_path_is_passed_to_the_next_middleware(string target, params string[] headers)
    {
        await using TestApp app = await StartWithNextMiddlewareAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(target, [.. headers, "Content-Length: 0"]);
        Assert.Equal((299, "next"), await ReadResponseAsync(connection));
    }

    [Theory]
    [InlineData("GET /status")]
    [InlineData("GET /Status")]
    [InlineData("GET /status?time=1")]
    [InlineData("GET /upload")]
    [InlineData("GET /upload/")]
    [InlineData("GET /UPLOAD")]
    [InlineData("GET /up%6coad?a=b")]
    [InlineData("GET http://127.0.0.1/status")]
    public async Task Request_to_upload_or_status_path_is_handled(string target)
    {
        await using TestApp app = await StartWithNextMiddlewareAsync();
        (await app.Client.AppendAsync("a", 0, [1, 2, 3], 10)).Dispose();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(target, "X-File-Id: a");
        Assert.Equal((200, "3"), await ReadResponseAsync(connection));
    }

    private static Task<TestApp> StartWithNextMiddlewareAsync() => TestApp.StartAsync(after: static app => app.Run(static context =>
    {
        context.Response.StatusCode = 299;
        return context.Response.WriteAsync("next");
    }));

    private static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private string[] Listing(string except) =>
        [.. Directory.EnumerateFileSystemEntries(_parent, "*", SearchOption.AllDirectories).Where(path => !path.StartsWith(except + "/", StringComparison.Ordinal)).Order()];

    private static async Task<(int, string)> SendAsync(RawConnection connection, string target, string id, string body = "", params string[] headers)
    {
        await connection.SendHeadAsync(target, [$"X-File-Id: {id}", $"Content-Length: {body.Length}", .. headers]);
        await connection.SendAsync(body);
        return await ReadResponseAsync(connection);
    }

    private static async Task<(int, string)> ReadResponseAsync(RawConnection connection)
    {
        RawResponse? response = await connection.ReadResponseAsync();
        Assert.NotNull(response);
        return (response.Status, response.Header("Transfer-Encoding") is null ? response.Body : await connection.ReadChunkedBodyAsync());
    }
}

using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Requests;

/// <summary>Header encoding: a browser sends the é of a file name as the byte 0xE9 (docs/protocols/file-id.md#header-encoding).</summary>
public class RawHeaderTests
{
    private const string FileId = "X-File-Id: caf\u00e9.pdf-10-1";

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Latin1_file_id_is_accepted_in_every_setup(bool withServices, bool isMapped)
    {
        await using TestApp app = await TestApp.StartAsync(
            services: builder => _ = withServices ? builder.Services.AddResumableUploads().Services.AddResumableUploads() : null,
            after: app => _ = isMapped ? app.MapResumableUploads("/mapped") : null,
            useUploads: !isMapped);
        string path = isMapped ? "/mapped" : "/upload";
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);

        await connection.SendHeadAsync($"POST {path}", FileId, "X-File-Size: 10", "Content-Length: 4");
        await connection.SendAsync("abcd");
        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
        await connection.SendHeadAsync($"GET {path}", FileId);
        Assert.Equal("4", (await connection.ReadResponseAsync())!.Body);

        // A different byte is a different upload, and so is the same letter in UTF-8.
        await connection.SendHeadAsync($"GET {path}", "X-File-Id: caf\u00e8.pdf-10-1");
        Assert.Equal("0", (await connection.ReadResponseAsync())!.Body);
        await connection.SendHeadAsync($"GET {path}", "X-File-Id: caf\u00c3\u00a9.pdf-10-1");
        Assert.Equal("0", (await connection.ReadResponseAsync())!.Body);
    }

    [Theory]
    [InlineData("X-File-Id: caf\u00e9.pdf-4-1", null, "caf\u00e9.pdf")]
    [InlineData("X-File-Id: caf\u00c3\u00a9.pdf-4-1", null, "caf\u00e9.pdf")]
    [InlineData("X-File-Id: x", "X-File-Name: caf\u00e9.txt", "caf\u00e9.txt")]
    [InlineData("X-File-Id: x", "X-File-Name: caf%C3%A9.txt", "caf\u00e9.txt")]
    public async Task Latin1_file_name_is_decoded(string fileId, string? fileName, string expected)
    {
        await using TestApp app = await TestApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", [fileId, "Content-Length: 4", .. fileName is null ? Array.Empty<string>() : [fileName]]);
        await connection.SendAsync("abcd");

        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(expected, Assert.Single(app.Finished).Upload.RawFileName);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Encoding_selector_of_app_applies_to_other_headers(bool withServices)
    {
        await using TestApp app = await TestApp.StartAsync(
            services: builder =>
            {
                builder.WebHost.ConfigureKestrel(static kestrel => kestrel.RequestHeaderEncodingSelector = static name =>
                    name == "X-Old" ? Encoding.Latin1 : null);
                if (withServices)
                {
                    builder.Services.AddResumableUploads();
                }
            },
            after: static app => app.Run(static context =>
            {
                string text = context.Request.Headers["X-Old"].ToString();
                context.Response.ContentLength = Encoding.UTF8.GetByteCount(text);
                return context.Response.WriteAsync(text);
            }));
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);

        await connection.SendHeadAsync("GET /elsewhere", "X-Old: caf\u00e9");
        Assert.Equal("caf\u00e9", (await connection.ReadResponseAsync())!.Body);
        await connection.SendHeadAsync("GET /status", FileId);
        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
    }

    [Theory]
    [InlineData("X-Other: caf\u00e9")]
    [InlineData("X-File-Size: \u00e9")]
    public async Task Other_headers_with_invalid_utf8_are_rejected(string header)
    {
        await using TestApp app = await TestApp.StartAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("GET /status", "X-File-Id: f", header);

        Assert.Equal(400, (await connection.ReadResponseAsync())!.Status);
    }
}

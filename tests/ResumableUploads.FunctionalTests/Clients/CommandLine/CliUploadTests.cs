using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.FunctionalTests.Clients.DotNet;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.CommandLine;

public class CliUploadTests
{
    private const int Size = 300_000;

    [Theory]
    [InlineData("file-id")]
    [InlineData("tus")]
    [InlineData("ietf")]
    public async Task Files_and_folders_arrive_with_their_bytes_in_each_protocol(string protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        var contents = new Dictionary<string, byte[]>();
        foreach (string path in (string[])["single.bin", "folder/x.txt", "folder/a/x.txt", "folder/b/x.txt", "folder/b/[red]ünïcode.txt", "folder/empty.txt"])
        {
            contents[path] = RandomNumberGenerator.GetBytes(path.Contains("empty", StringComparison.Ordinal) ? 0 : Size);
            Write(app, path, contents[path]);
        }

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["single.bin", "folder", "--to", app.Endpoint.ToString(), "--protocol", protocol]);

        run.AssertExited(0);
        Assert.Equal(contents.Count, app.App.Finished.Count);
        Assert.Equal(
            contents.Select(static file => $"{file.Key} {Hash(file.Value)}").Order(StringComparer.Ordinal),
            app.App.Finished.Select(static upload => $"{RelativePath(upload)} {Hash(upload.Content)}").Order(StringComparer.Ordinal));
        Assert.Equal(contents.Keys.Select(Path.GetFileName).Order(), app.App.Finished.Select(static upload => Path.GetFileName(upload.Upload.RawFileName)).Order());
        Assert.Equal("6 uploaded.", run.Output[^1]);
        Assert.Empty(run.Errors);
        Assert.DoesNotContain(run.Output, static line => line.Contains('\e', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Json_prints_one_event_per_line_with_the_response_of_the_app()
    {
        await using ClientApp app = await ClientApp.StartAsync(
            after: static web => web.MapPost("/upload", static async (HttpContext context) =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                return Results.Created("/videos/7", "\"stored\"");
            }).WithResumableUploads());
        Write(app, "a \"b\"\n.bin", RandomNumberGenerator.GetBytes(Size));

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["a \"b\"\n.bin", "--to", app.Endpoint.ToString(), "--json"]);

        run.AssertExited(0);
        JsonElement completed = Assert.Single(run.EventsOf("completed"));
        Assert.Equal("a \"b\"\n.bin", completed.GetProperty("path").GetString());
        Assert.Equal(Size, completed.GetProperty("size").GetInt64());
        Assert.Equal(201, completed.GetProperty("statusCode").GetInt32());
        Assert.False(completed.GetProperty("alreadyComplete").GetBoolean());
        Assert.Contains("stored", completed.GetProperty("body").GetString(), StringComparison.Ordinal);
        Assert.Equal("/videos/7", completed.GetProperty("location").GetString());
        Assert.Equal("started", run.Events[0].GetProperty("event").GetString());
        JsonElement summary = run.Events[^1];
        Assert.Equal("summary", summary.GetProperty("event").GetString());
        Assert.Equal(1, summary.GetProperty("completedCount").GetInt32());
        Assert.Equal(0, summary.GetProperty("exitCode").GetInt32());
    }

    [Theory]
    [InlineData("file-id")]
    [InlineData("tus")]
    [InlineData("ietf")]
    public async Task Standard_input_of_unknown_length_arrives_in_chunks(string protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = RandomNumberGenerator.GetBytes(Size);

        await using CliProcess run = CliProcess.Start(
            app.Files, ["-", "--name", "piped.bin", "--chunk-size", "128KiB", "--digest", "sha-256", "--to", app.Endpoint.ToString(), "--protocol", protocol]);
        await run.Input.BaseStream.WriteAsync(content);
        run.Input.Close();
        await run.EndAsync();

        run.AssertExited(0);
        app.AssertReceived(content);
        Assert.Equal("piped.bin", app.App.Finished[0].Upload.FileName);
        Assert.All(app.Requests, static request => Assert.InRange(request.Length, 1, 128 * 1024));
    }

    [Fact]
    public async Task Headers_come_from_environment_file_and_arguments()
    {
        var received = new List<string>();
        await using ClientApp app = await ClientApp.StartAsync(middleware: (context, next) =>
        {
            lock (received)
            {
                received.Add($"{context.Request.Headers["X-A"]} {context.Request.Headers["X-B"]} {context.Request.Headers["X-C"]} {context.Request.Headers.UserAgent}");
            }

            return next(context);
        });
        Write(app, "file.bin", [1]);
        Write(app, "headers.txt", "# a comment\nX-B: file\n\nX-C: file\n"u8.ToArray());

        await using CliProcess run = await CliProcess.RunAsync(
            app.Files,
            ["file.bin", "--to", app.Endpoint.ToString(), "--header-file", "headers.txt", "-H", "X-C: argument"],
            ("RESUP_HEADERS", "X-A: environment\nX-B: environment"));

        run.AssertExited(0);
        Assert.NotEmpty(received);
        Assert.All(received, static line => Assert.StartsWith("environment file argument resup/", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Header_file_is_read_again_after_401()
    {
        string? path = null;
        await using ClientApp app = await ClientApp.StartAsync(middleware: (context, next) =>
        {
            if (context.Request.Headers.Authorization == "Bearer new")
            {
                return next(context);
            }

            File.WriteAllText(path!, "Authorization: Bearer new\n");
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        });
        path = Write(app, "headers.txt", "Authorization: Bearer old\n"u8.ToArray());
        byte[] content = RandomNumberGenerator.GetBytes(Size);
        Write(app, "file.bin", content);

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["file.bin", "--to", app.Endpoint.ToString(), "--header-file", "headers.txt"]);

        run.AssertExited(0);
        app.AssertReceived(content);
    }

    [Fact]
    public async Task Quiet_prints_nothing_about_a_success()
    {
        await using ClientApp app = await ClientApp.StartAsync();
        Write(app, "file.bin", [1, 2, 3]);

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["file.bin", "--to", app.Endpoint.ToString(), "-q"]);

        run.AssertExited(0);
        Assert.Empty(run.Output);
        Assert.Empty(run.Errors);
        Assert.Single(app.App.Finished);
    }

    [Fact]
    public async Task Files_named_like_commands_or_options_are_uploaded()
    {
        await using ClientApp app = await ClientApp.StartAsync();
        foreach (string name in (string[])["z", "status", "@list", "-x"])
        {
            Write(app, name, [1]);
        }

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["z", "status", "@list", "--to", app.Endpoint.ToString(), "--", "-x"]);

        run.AssertExited(0);
        Assert.Equal(["-x", "@list", "status", "z"], app.App.Finished.Select(static upload => upload.Upload.RawFileName!).Order(StringComparer.Ordinal));
    }

    internal static string Write(ClientApp app, string path, byte[] content)
    {
        string full = Path.Combine(app.Files, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, content);
        return full;
    }

    private static string RelativePath(FinishedUpload finished) =>
        finished.Upload.Metadata.TryGetValue("relativePath", out string? path) ? path : finished.Upload.RawFileName!;

    private static string Hash(byte[] content) => Convert.ToHexString(SHA256.HashData(content));
}

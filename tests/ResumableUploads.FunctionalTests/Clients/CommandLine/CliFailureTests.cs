using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ResumableUploads.FunctionalTests.Clients.DotNet;

namespace ResumableUploads.FunctionalTests.Clients.CommandLine;

public class CliFailureTests
{
    [Fact]
    public async Task Signed_out_exits_with_4_and_leaves_the_other_files()
    {
        await using ClientApp app = await ClientApp.StartAsync(middleware: static (context, _) =>
        {
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        });
        CliUploadTests.Write(app, "a.bin", [1]);
        CliUploadTests.Write(app, "b.bin", [1]);

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["a.bin", "b.bin", "-c", "1", "--to", app.Endpoint.ToString(), "--json"]);

        run.AssertExited(4);
        JsonElement failed = Assert.Single(run.EventsOf("failed"));
        Assert.Equal("signed-out", failed.GetProperty("reason").GetString());
        Assert.Equal(401, failed.GetProperty("statusCode").GetInt32());
        Assert.Equal(1, run.Events[^1].GetProperty("unfinishedCount").GetInt32());
    }

    [Fact]
    public async Task Redirect_to_a_sign_in_page_is_not_followed_and_exits_with_4()
    {
        int signIns = 0;
        await using ClientApp app = await ClientApp.StartAsync(middleware: (context, _) =>
        {
            if (context.Request.Path == "/sign-in")
            {
                Interlocked.Increment(ref signIns);
            }

            context.Response.Redirect("/sign-in");
            return Task.CompletedTask;
        });
        CliUploadTests.Write(app, "a.bin", [1]);

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["a.bin", "--to", app.Endpoint.ToString()]);

        run.AssertExited(4);
        Assert.Equal(0, signIns);
        Assert.Contains(run.Errors, static line => line.StartsWith("a.bin: failed:", StringComparison.Ordinal) && line.EndsWith("The redirect is to /sign-in.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Too_large_file_exits_with_1_and_the_others_arrive()
    {
        await using ClientApp app = await ClientApp.StartAsync(static options => options.MaxUploadSize = 100_000);
        CliUploadTests.Write(app, "large.bin", new byte[200_000]);
        CliUploadTests.Write(app, "small.bin", [1]);

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["large.bin", "small.bin", "--to", app.Endpoint.ToString(), "--json"]);

        run.AssertExited(1);
        JsonElement failed = Assert.Single(run.EventsOf("failed"));
        Assert.Equal("large.bin", failed.GetProperty("path").GetString());
        Assert.Equal("too-large", failed.GetProperty("reason").GetString());
        app.AssertReceived([1]);
    }

    [Fact]
    public async Task Server_that_is_gone_exits_with_5_after_the_retries()
    {
        string directory = Directory.CreateTempSubdirectory("cli-test-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(directory, "a.bin"), [1]);
            File.WriteAllBytes(Path.Combine(directory, "b.bin"), [1]);

            // The port is reserved, and nothing listens on it.
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            int port = ((IPEndPoint)socket.LocalEndPoint!).Port;

            await using CliProcess run = await CliProcess.RunAsync(directory, ["a.bin", "b.bin", "-c", "1", "--retries", "1", "--to", $"http://127.0.0.1:{port}/upload"]);

            run.AssertExited(5);
            Assert.Single(run.Errors, static line => line.Contains("Retry 1", StringComparison.Ordinal));
            Assert.Equal("0 uploaded, 1 failed, 1 not finished. Run the same command to continue.", run.Output[^1]);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Wrong_arguments_exit_with_2_before_anything_is_sent()
    {
        int requests = 0;
        await using ClientApp app = await ClientApp.StartAsync(middleware: (context, next) =>
        {
            Interlocked.Increment(ref requests);
            return next(context);
        });
        CliUploadTests.Write(app, "a.bin", [1]);
        Directory.CreateDirectory(Path.Combine(app.Files, "empty"));
        string url = app.Endpoint.ToString();

        await AssertUsageAsync(app, ["a.bin"], "--to");
        await AssertUsageAsync(app, ["a.bin", "missing.bin", "--to", url], "missing.bin: No such file or folder.");
        await AssertUsageAsync(app, ["empty", "--to", url], "empty: The folder has no files.");
        await AssertUsageAsync(app, ["a.bin", "--to", url, "--insecure"], "--insecure does not exist");
        await AssertUsageAsync(app, ["a.bin", "--to", url, "-H", "X-File-Id: 1"], "The header X-File-Id is set by the command itself.");
        Assert.Equal(0, requests);
    }

    [Fact]
    public async Task Names_and_server_texts_cannot_control_the_terminal()
    {
        await using ClientApp app = await ClientApp.StartAsync(middleware: static async (context, _) =>
        {
            context.Response.StatusCode = 400;
            context.Response.ContentType = "application/problem+json";
            await context.Response.WriteAsync("{\"type\":\"about:blank\",\"detail\":\"\\u001b]0;owned\\u0007 [red]\"}");
        });
        CliUploadTests.Write(app, "\e[31m\n.bin", [1]);

        await using CliProcess run = await CliProcess.RunAsync(app.Files, ["\e[31m\n.bin", "--to", app.Endpoint.ToString()]);

        run.AssertExited(1);
        string error = Assert.Single(run.Errors);
        Assert.StartsWith("\\u{1B}[31m\\u{A}.bin: failed:", error, StringComparison.Ordinal);
        Assert.Contains("\\u{1B}]0;owned\\u{7} [red]", error, StringComparison.Ordinal);
        Assert.DoesNotContain(run.Output.Concat(run.Errors), static line => line.Any(char.IsControl));
    }

    private static async Task AssertUsageAsync(ClientApp app, string[] arguments, string message)
    {
        await using CliProcess run = await CliProcess.RunAsync(app.Files, arguments);
        run.AssertExited(2);
        Assert.Contains(run.Errors, line => line.StartsWith("resup: ", StringComparison.Ordinal) && line.Contains(message, StringComparison.Ordinal));
        Assert.Empty(run.Output);
    }
}

using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Hosting.Forms;

/// <summary>A form that refers to completed uploads by their ids, on Kestrel.</summary>
public class FormUploadTests
{
    private const string Id = "report.pdf-10-1-abc";

    /// <summary>Runs once in a request with a form, after its uploads were found.</summary>
    private Func<Task>? _afterFind;

    [Fact]
    public async Task Completed_upload_of_same_user_is_moved_and_can_be_sent_again()
    {
        await using TestApp app = await StartAsync();
        string target = Path.Combine(app.Directory, "target");

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await UploadAsync(app, "ann", Id, "0123456789")).StatusCode);
            Assert.Equal("Completed report.pdf 10 0123456789", await SendFormAsync(app, "ann", "move", Id));
            Assert.Equal($"NotFound {Id}", await SendFormAsync(app, "ann", "move", Id));
        }

        Assert.Equal(["report (1).pdf", "report.pdf"], System.IO.Directory.GetFiles(target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        // Nothing counts against the quota of the user any more.
        Assert.Empty(System.IO.Directory.GetFiles(app.Directory, "*.data", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Upload_of_another_user_is_not_found_and_unchanged()
    {
        await using TestApp app = await StartAsync();
        await UploadAsync(app, "ann", Id, "0123456789");

        Assert.Equal($"NotFound {Id}", await SendFormAsync(app, "bob", "move", Id));
        Assert.Equal($"NotFound {Id}", await SendFormAsync(app, null, "move", Id));

        await UploadAsync(app, "bob", Id, "bob's text");
        Assert.Equal("Completed report.pdf 10 bob's text", await SendFormAsync(app, "bob", "read", Id));
        Assert.Equal("Completed report.pdf 10 0123456789", await SendFormAsync(app, "ann", "read", Id));
    }

    [Fact]
    public async Task Deleted_upload_is_not_found()
    {
        await using TestApp app = await StartAsync();
        await UploadAsync(app, "ann", Id, "0123456789");

        Assert.Equal("Completed report.pdf 10 0123456789", await SendFormAsync(app, "ann", "delete", Id));
        Assert.Equal($"NotFound {Id}", await SendFormAsync(app, "ann", "delete", Id));
    }

    [Fact]
    public async Task Slow_delete_keeps_new_upload_with_same_id()
    {
        await using TestApp app = await StartAsync();
        await UploadAsync(app, "ann", Id, "0123456789");
        _afterFind = async () =>
        {
            await SendFormAsync(app, "ann", "delete", Id);
            await UploadAsync(app, "ann", Id, "new");
        };

        Assert.Equal("Completed report.pdf 10", await SendFormAsync(app, "ann", "delete-unread", Id));
        Assert.Equal("Completed report.pdf 3 new", await SendFormAsync(app, "ann", "read", Id));
    }

    [Fact]
    public async Task Form_sent_twice_at_the_same_time_moves_the_file_once()
    {
        var store = new HookedStore(new MemoryUploadStore());
        await using TestApp app = await StartAsync(options => options.Store = store);
        await UploadAsync(app, "ann", Id, "0123456789");
        string? second = null;
        store.BeforeDelete = async _ =>
        {
            store.BeforeDelete = null;
            second = await SendFormAsync(app, "ann", "move", Id);
        };

        Assert.Equal("Completed report.pdf 10 0123456789", await SendFormAsync(app, "ann", "move", Id));
        Assert.Contains("Another call is moving the content", second, StringComparison.Ordinal);
        Assert.Equal($"NotFound {Id}", await SendFormAsync(app, "ann", "move", Id));
    }

    [Fact]
    public async Task Ids_of_one_upload_give_one_result()
    {
        await using TestApp app = await StartAsync();
        await UploadAsync(app, "ann", Id, "0123456789");

        Assert.Equal("Completed report.pdf 10 0123456789", await SendFormAsync(app, "ann", "move", Id, Id + " ", "\t" + Id));
    }

    [Fact]
    public async Task Id_with_control_character_is_not_accepted()
    {
        await using TestApp app = await StartAsync();
        Assert.Equal(HttpStatusCode.BadRequest, (await UploadAsync(app, "ann", "a\u0001b", "0123456789")).StatusCode);

        Assert.Equal("NotFound a\u0001b", await SendFormAsync(app, "ann", "read", "a\u0001b"));
    }

    [Fact]
    public async Task Upload_whose_response_was_lost_is_rejected()
    {
        var store = new HookedStore(new MemoryUploadStore());
        await using TestApp app = await StartAsync(options =>
        {
            options.Store = store;
            options.OnCompleted = (upload, _) =>
            {
                upload.Response = UploadResponse.Text("malware found", 422);
                return Task.CompletedTask;
            };
        });
        await UploadAsync(app, "ann", Id, "0123456789");
        store.HasLostResponses = true;

        Assert.Equal($"Rejected {Id}", await SendFormAsync(app, "ann", "read", Id));
    }

    [Fact]
    public async Task Incomplete_unknown_and_malformed_ids_have_no_content()
    {
        await using TestApp app = await StartAsync();
        await UploadAsync(app, "ann", "half", "01234", size: 10);
        string tooLong = new('x', 5000);

        string[] ids = ["half", "other", "../../etc/passwd", "new\nline", "文件", tooLong, "half"];
        Assert.Equal(
            "Incomplete half\nNotFound other\nNotFound ../../etc/passwd\nNotFound new\nline\nNotFound 文件\nNotFound " + tooLong,
            await SendFormAsync(app, "ann", "read", ids));
        Assert.Equal("", await SendFormAsync(app, "ann", "read", ""));
    }

    [Theory]
    [InlineData(422, "Rejected")]
    [InlineData(200, "Completed")]
    [InlineData(503, "Incomplete")]
    public async Task Response_of_completion_handler_decides(int status, string expected)
    {
        await using TestApp app = await StartAsync(options => options.OnCompleted = (upload, _) =>
        {
            upload.Response = UploadResponse.Text("Checked.", status);
            return Task.CompletedTask;
        });
        await UploadAsync(app, "ann", Id, "0123456789");

        Assert.StartsWith(expected, await SendFormAsync(app, "ann", "read", Id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_that_completion_handler_moved_is_reported_as_moved()
    {
        await using TestApp app = await StartAsync(options => options.OnCompleted = (upload, token) => upload.MoveToDirectoryAsync("inbox", token));
        await UploadAsync(app, "ann", Id, "0123456789");

        Assert.Equal($"Moved {Id}", await SendFormAsync(app, "ann", "read", Id));
    }

    [Fact]
    public async Task Browsers_are_separated_by_their_cookies()
    {
        await using TestApp app = await StartAsync();
        string[] cookies = [await GetCookieAsync(app), await GetCookieAsync(app)];
        await UploadAsync(app, cookies[0], Id, "0123456789");
        await UploadAsync(app, null, "of an anonymous client", "0123456789");

        Assert.Equal($"NotFound {Id}", await SendFormAsync(app, cookies[1], "read", Id));
        Assert.Equal("Completed report.pdf 10 0123456789", await SendFormAsync(app, cookies[0], "read", Id));
        // Clients without a cookie share an owner. A form of one does not receive the files of another.
        Assert.Equal("NotFound of an anonymous client", await SendFormAsync(app, null, "read", "of an anonymous client"));
    }

    [Fact]
    public async Task Route_with_parameters_requires_its_path()
    {
        await using TestApp app = await StartAsync(mapped: true);
        await UploadAsync(app, "ann", Id, "0123456789", path: "albums/5/photos");

        Assert.Equal("Completed report.pdf 10 0123456789", await SendFormAsync(app, "ann", "read?path=/albums/5/photos", Id));
        Assert.Equal($"NotFound {Id}", await SendFormAsync(app, "ann", "read?path=/albums/6/photos", Id));
        Assert.Equal($"NotFound {Id}", await SendFormAsync(app, "ann", "read?path=/upload", Id));
        Assert.Contains("Pass the path", await SendFormAsync(app, "ann", "read", Id), StringComparison.Ordinal);
        Assert.Contains("/elsewhere", await SendFormAsync(app, "ann", "read?path=/elsewhere", Id), StringComparison.Ordinal);
    }

    private async Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure = null, bool mapped = false) => await TestApp.StartAsync(
        options =>
        {
            options.OnCompleted = null;
            configure?.Invoke(options);
        },
        static builder =>
        {
            builder.Services.AddResumableUploads();
            HeaderAuthentication.AddTo(builder);
        },
        static app => app.UseAuthentication(),
        app =>
        {
            if (mapped)
            {
                app.MapResumableUploads("/albums/{album}/photos", options => options.Directory = app.Environment.ContentRootPath);
            }

            app.MapPost("/forms/{operation}", AnswerAsync);
        });

    /// <summary>Answers with a line for each upload of the form: its status, its name, size and content.</summary>
    private async Task AnswerAsync(HttpContext context, string operation, string? path)
    {
        var lines = new List<string>();
        try
        {
            foreach (FormUpload file in await context.GetFormUploadsAsync("files", path, context.RequestAborted))
            {
                await (Interlocked.Exchange(ref _afterFind, null)?.Invoke() ?? Task.CompletedTask);
                string content = file.IsCompleted && operation != "delete-unread" ? $" {await ReadAsync(file.Upload)}" : "";
                lines.Add(file.IsCompleted ? $"{file.Status} {file.Upload.FileName} {file.Upload.Size}{content}" : $"{file.Status} {file.Id}");
                if (operation == "move" && file.IsCompleted)
                {
                    await file.Upload.MoveToDirectoryAsync("target", context.RequestAborted);
                }
                else if (operation is "delete" or "delete-unread")
                {
                    await file.DeleteAsync(context.RequestAborted);
                }
            }
        }
        catch (InvalidOperationException e)
        {
            lines.Add(e.Message);
        }

        await context.Response.WriteAsync(string.Join('\n', lines));
    }

    private static async Task<string> ReadAsync(CompletedUpload upload)
    {
        using var reader = new StreamReader(await upload.OpenReadAsync());
        return await reader.ReadToEndAsync();
    }

    private static Task<HttpResponseMessage> UploadAsync(TestApp app, string? user, string id, string content, int? size = null, string path = "upload")
    {
        HttpRequestMessage request = CreateRequest(HttpMethod.Post, path, user);
        request.Content = new StringContent(content);
        request.Headers.Add("X-File-Id", id);
        request.Headers.Add("X-File-Name", "report.pdf");
        request.Headers.Add("X-File-Size", $"{size ?? content.Length}");
        return app.Client.SendAsync(request);
    }

    private static async Task<string> SendFormAsync(TestApp app, string? user, string operation, params string[] ids)
    {
        HttpRequestMessage request = CreateRequest(HttpMethod.Post, $"forms/{operation}", user);
        request.Content = new FormUrlEncodedContent(ids.Select(static id => KeyValuePair.Create("files", id)));
        return await (await app.Client.SendAsync(request)).Content.ReadAsStringAsync();
    }

    /// <summary>Creates a request of a user, or of a browser whose cookie is <paramref name="user"/>.</summary>
    private static HttpRequestMessage CreateRequest(HttpMethod method, string path, string? user)
    {
        var request = new HttpRequestMessage(method, path);
        if (user is not null)
        {
            bool isCookie = user.Contains('=', StringComparison.Ordinal);
            request.Headers.Add(isCookie ? "Cookie" : HeaderAuthentication.Header, isCookie ? user : $"sub:{user}");
        }

        return request;
    }

    private static async Task<string> GetCookieAsync(TestApp app)
    {
        HttpRequestMessage request = CreateRequest(HttpMethod.Get, "status", null);
        request.Headers.Add("X-File-Id", Id);
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        HttpResponseMessage response = await app.Client.SendAsync(request);
        return Assert.Single(response.Headers.GetValues("Set-Cookie")).Split(';')[0];
    }
}

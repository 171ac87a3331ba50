using System.Text.Json;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Events;

public class CreatingEventTests
{
    [Theory]
    [InlineData(403)]
    [InlineData(422)]
    [InlineData(429)]
    [InlineData(503)]
    public async Task The_app_can_refuse_and_the_client_reads_why(int status)
    {
        using var store = new MemoryUploadStore();
        await using TestApp app = await TestApp.StartAsync(options =>
        {
            options.Store = store;
            options.OnCreating = (upload, _) =>
            {
                upload.Reject(status, "Only \"pictures\"\r\nhere.");
                return Task.CompletedTask;
            };
        });
        using HttpResponseMessage answer = await app.Client.AppendAsync("f", 0, new byte[100], 100);
        using JsonDocument problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());

        Assert.Equal((status, "application/problem+json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Equal("urn:resumable-uploads:refused", problem.RootElement.GetProperty("type").GetString());
        Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
        Assert.Equal("Only \"pictures\"\r\nhere.", problem.RootElement.GetProperty("detail").GetString());
        Assert.Equal(0, await app.Client.StatusAsync("f"));
        await foreach (UploadInfo stored in store.ListAsync(new UploadQuery(), CancellationToken.None))
        {
            Assert.Fail($"{stored.Key} is stored.");
        }
    }

    [Fact]
    public async Task What_is_refused_takes_no_room_from_its_owner()
    {
        int asked = 0;
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Limits.MaxUploadsPerOwner = 1;
                options.Limits.MaxBytesPerOwner = 100;
                options.OnCreating = (upload, _) =>
                {
                    if (++asked < 4)
                    {
                        upload.Reject(403, "No.");
                    }

                    return Task.CompletedTask;
                };
            },
            onTestHost: true);
        int status = 0;
        for (int i = 0; i < 4; i++)
        {
            using HttpResponseMessage answer = await app.Client.AppendAsync($"f{i}", 0, new byte[10], 100);
            status = (int)answer.StatusCode;
        }

        Assert.Equal((4, 200), (asked, status));
    }

    [Fact]
    public async Task It_tells_what_is_known_and_is_called_once_for_an_upload()
    {
        var calls = new List<(string Name, string? Raw, string? Type, long? Length, string? Header)>();
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnCreating = (upload, _) =>
            {
                calls.Add((upload.FileName, upload.RawFileName, upload.ContentType, upload.Length, upload.HttpContext.Request.Headers["X-Mine"].ToString()));
                Assert.Same(upload.HttpContext.RequestServices, upload.Services);
                return Task.CompletedTask;
            },
            onTestHost: true);
        (string, string)[] headers = [("X-File-Name", "..%2F..%2Fetc%2Fpass%3Fwd.txt"), ("Content-Type", "text/x-thing"), ("X-Mine", "1")];
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[10], 20, headers);
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 10, new byte[10], 20, headers);

        Assert.Equal(200, (int)last.StatusCode);
        Assert.Equal(("pass_wd.txt", "../../etc/pass?wd.txt", "text/x-thing", 20L, "1"), Assert.Single(calls));
    }

    [Theory]
    [InlineData("report.pdf", "report.pdf")]
    [InlineData("../up/CON", "_CON")]
    public async Task The_app_can_name_the_file_and_later_events_show_that_name_made_safe(string chosen, string shown)
    {
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnCreating = (upload, _) =>
            {
                upload.SetFileName(chosen);
                Assert.Equal(shown, upload.FileName);
                return Task.CompletedTask;
            },
            onTestHost: true);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[10], 20, ("X-File-Name", "client.txt"));
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 10, new byte[10], 20);

        CompletedUpload upload = Assert.Single(app.Finished).Upload;
        Assert.Equal((shown, "client.txt"), (upload.FileName, upload.RawFileName));
    }

    [Theory]
    [InlineData(399)]
    [InlineData(600)]
    [InlineData(200)]
    public async Task A_refusal_is_an_error_status(int status)
    {
        ArgumentOutOfRangeException? thrown = null;
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnCreating = (upload, _) =>
            {
                thrown = Assert.Throws<ArgumentOutOfRangeException>(() => upload.Reject(status, "No."));
                return Task.CompletedTask;
            },
            onTestHost: true);
        using HttpResponseMessage answer = await app.Client.AppendAsync("f", 0, new byte[10], 20);

        Assert.NotNull(thrown);
    }
}

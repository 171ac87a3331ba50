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
    public async Task Reject_returns_problem_with_detail(int status)
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
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[100], 100);
        using JsonDocument problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());

        Assert.Equal((status, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
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
    public async Task Rejected_upload_uses_no_quota()
    {
        int creatingCalls = 0;
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Limits.MaxUploadsPerOwner = 1;
                options.Limits.MaxBytesPerOwner = 100;
                options.OnCreating = (upload, _) =>
                {
                    if (++creatingCalls < 4)
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
            using HttpResponseMessage response = await app.Client.AppendAsync($"f{i}", 0, new byte[10], 100);
            status = (int)response.StatusCode;
        }

        Assert.Equal((4, 200), (creatingCalls, status));
    }

    [Fact]
    public async Task OnCreating_receives_request_data_and_is_called_once_per_upload()
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
    public async Task SetFileName_sanitizes_name_for_later_events(string chosen, string shown)
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
    public async Task Reject_without_error_status_code_throws(int status)
    {
        ArgumentOutOfRangeException? thrown = null;
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnCreating = (upload, _) =>
            {
                thrown = Assert.Throws<ArgumentOutOfRangeException>(() => upload.Reject(status, "No."));
                return Task.CompletedTask;
            },
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[10], 20);

        Assert.NotNull(thrown);
    }
}

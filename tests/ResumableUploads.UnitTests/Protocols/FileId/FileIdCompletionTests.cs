using System.Text;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>The final response and its replay (docs/protocols/file-id.md#responses and #repeated-requests).</summary>
public class FileIdCompletionTests
{
    private static readonly byte[] File = "abcdef"u8.ToArray();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Empty_append_to_complete_upload_returns_stored_response(bool inMemory, bool chunked)
    {
        int runs = 0;
        await using TestApp app = await AppAsync(inMemory, options => options.OnCompleted = (upload, _) =>
        {
            runs++;
            upload.Response = new UploadResponse(201, "application/json", Encoding.UTF8.GetBytes($$"""{"run":{{runs}}}"""));
            return Task.CompletedTask;
        });
        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage response = i == 0
                ? await app.Client.AppendAsync("f", 0, File, 6)
                : await app.Client.AppendAsync("f", 6, chunked ? Chunked([]) : new ByteArrayContent([]), i == 1 ? 6 : null);
            Assert.Equal((201, "{\"run\":1}"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
            Assert.Equal(("application/json", "no-store"), (response.Header("Content-Type"), response.Header("Cache-Control")));
            Assert.Equal(("6", "true"), (response.Header("X-Start-Byte"), response.Header("X-Upload-Complete")));
        }

        Assert.Equal(1, runs);
        Assert.Equal(6, await app.Client.StatusAsync("f"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_to_complete_upload_returns_409_upload_complete(bool chunked)
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File, 6).ShouldHaveOffsetAsync(6, complete: true);
        foreach (long at in new long[] { 6, 0, 3 })
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", at, chunked && at == 6 ? Chunked([7]) : new ByteArrayContent([7]));
            Assert.Equal("true", response.Header("X-Upload-Complete"));
            await response.ShouldBeProblemAsync(409, Own + "upload-complete", 6);
        }

        await app.Client.AppendAsync("f", 3, []).ShouldBeProblemAsync(409, OffsetMismatch, 6);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Text_response_is_sent_and_stored()
    {
        await using TestApp app = await AppAsync(configure: static options => options.OnCompleted = static (upload, _) =>
        {
            upload.Response = UploadResponse.Text("schön " + upload.Size);
            return Task.CompletedTask;
        });
        foreach (byte[] body in new[] { File, [] })
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", 6 - body.Length, body, 6);
            Assert.Equal((200, "schön 6"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
            Assert.Equal("text/plain; charset=utf-8", response.Header("Content-Type"));
        }
    }

    [Theory]
    [InlineData(201)]
    [InlineData(204)]
    [InlineData(303)]
    [InlineData(422)]
    [InlineData(499)]
    public async Task Final_status_is_stored(int status)
    {
        int runs = 0;
        await using TestApp app = await AppAsync(configure: options => options.OnCompleted = (upload, _) =>
        {
            runs++;
            upload.Response = new UploadResponse(status);
            return Task.CompletedTask;
        });
        foreach (byte[] body in new[] { File, [] })
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", 6 - body.Length, body, 6);
            Assert.Equal((status, ""), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
            Assert.Equal("true", response.Header("X-Upload-Complete"));
        }

        Assert.Equal(1, runs);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(425)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task Retryable_status_is_sent_and_handler_runs_again(int status)
    {
        var attempts = new List<(int, bool)>();
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Store = new UnsweptStore();
            options.OnCompleted = (upload, _) =>
            {
                attempts.Add((upload.Attempt, upload.IsRepeat));
                upload.Response = attempts.Count < 3 ? UploadResponse.Text("later", status) : UploadResponse.Text("done");
                return Task.CompletedTask;
            };
        });
        for (int i = 0; i < 4; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", i == 0 ? 0 : 6, i == 0 ? File : [], 6);
            Assert.Equal(
                i < 2 ? (status, "later", "false") : (200, "done", "true"),
                ((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Header("X-Upload-Complete")));
            Assert.Equal("6", response.Header("X-Start-Byte"));
        }

        Assert.Equal([(1, false), (2, true), (3, true)], attempts);
    }

    [Fact]
    public async Task Completion_without_handler_returns_the_size()
    {
        await using TestApp app = await AppAsync(configure: static options => options.OnCompleted = null);
        await app.Client.AppendAsync("f", 0, File, 6).ShouldHaveOffsetAsync(6, complete: true);
        await app.Client.AppendAsync("f", 6, []).ShouldHaveOffsetAsync(6, complete: true);
    }

    [Fact]
    public async Task Handler_sees_request_of_the_client()
    {
        await using TestApp app = await AppAsync();
        (await app.Client.AppendAsync("id", 0, File[..3], 6, ("X-File-Name", "..%2Fcaf%C3%A9.txt"), ("Content-Type", "text/x-odd"))).Dispose();
        (await app.Client.AppendAsync("id", 3, File[3..], 6, ("X-File-Name", "another"))).Dispose();
        CompletedUpload upload = Assert.Single(app.Finished).Upload;
        Assert.Equal(("../café.txt", "café.txt", "text/x-odd"), (upload.RawFileName, upload.FileName, upload.ContentType));
        Assert.Equal((6L, 6L, 1, false), (upload.Size, upload.Length, upload.Attempt, upload.IsRepeat));
    }

    [Fact]
    public async Task DELETE_of_complete_upload_removes_it()
    {
        await using TestApp app = await AppAsync();
        await app.Client.AppendAsync("f", 0, File, 6).ShouldHaveOffsetAsync(6, complete: true);
        (await app.Client.DeleteUploadAsync("f")).Dispose();
        Assert.Equal(0, await app.Client.StatusAsync("f"));
        await app.Client.AppendAsync("f", 6, []).ShouldBeProblemAsync(409, OffsetMismatch, 0);
        await app.Client.AppendAsync("f", 0, File, 6).ShouldHaveOffsetAsync(6, complete: true);
        Assert.Equal(2, app.Finished.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task StartOver_allows_the_same_file_again(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory, static options => options.Handler.RepeatBehavior = RepeatBehavior.StartOver);
        for (int i = 1; i <= 3; i++)
        {
            Assert.Equal(0, await app.Client.StatusAsync("f"));
            await app.Client.AppendAsync("f", 0, File[..2], 6).ShouldHaveOffsetAsync(2);
            Assert.Equal(2, await app.Client.StatusAsync("f"));
            await app.Client.AppendAsync("f", 2, File[2..], 6).ShouldHaveOffsetAsync(6, complete: true);
            await app.Client.AppendAsync("f", 6, [], 6).ShouldHaveOffsetAsync(6, complete: true);
            Assert.Equal(i, app.Finished.Count);
        }

        Assert.All(app.Finished, static finished => Assert.Equal(File, finished.Content));
    }
}

using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>The responses when the app rejects an upload, or its completion handler fails or is slow.</summary>
public class HandlerFailureTests
{
    private static readonly byte[] File = "abcdef"u8.ToArray();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Empty_append_after_failed_handler_runs_it_again(bool inMemory)
    {
        var attempts = new List<(int Attempt, bool IsRepeat, long Size)>();
        await using TestApp app = await AppAsync(inMemory, options => options.OnCompleted = async (upload, cancellationToken) =>
        {
            await using Stream content = await upload.OpenReadAsync(cancellationToken);
            attempts.Add((upload.Attempt, upload.IsRepeat, content.Length));
            if (attempts.Count < 3)
            {
                throw new InvalidOperationException("Injected failure.");
            }
        });
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", i == 0 ? 0 : 6, i == 0 ? File : [], 6);
            Assert.Equal("10", response.Header("Retry-After"));
            Assert.DoesNotContain("Injected failure.", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            await response.ShouldBeProblemAsync(503, Own + "handler-failed", 6);
            Assert.Equal(6, await app.Client.StatusAsync("f"));
            await app.Client.AppendAsync("f", 6, [1]).ShouldBeProblemAsync(409, Own + "upload-complete", 6);
        }

        await app.Client.AppendAsync("f", 6, [], 6).ShouldHaveOffsetAsync(6, complete: true);
        await app.Client.AppendAsync("f", 6, [], 6).ShouldHaveOffsetAsync(6, complete: true);
        Assert.Equal([(1, false, 6), (2, true, 6), (3, true, 6)], attempts);
        Assert.Contains(app.Log.Lines, static line => line.Contains("Injected failure.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Handler_with_MaxAttempts_failures_is_not_run_again()
    {
        int runs = 0;
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Handler.MaxAttempts = 2;
            options.Handler.RetryDelay = TimeSpan.Zero;
            options.OnCompleted = (_, _) =>
            {
                runs++;
                throw new InvalidOperationException("Injected failure.");
            };
        });
        await app.Client.AppendAsync("f", 0, File, 6).ShouldBeProblemAsync(503, Own + "handler-failed", 6);
        await app.Client.AppendAsync("f", 6, []).ShouldBeProblemAsync(503, Own + "handler-failed", 6);
        await app.Client.AppendAsync("f", 6, []).ShouldBeProblemAsync(500, Own + "parked", 6);
        await app.Client.AppendAsync("f", 6, []).ShouldBeProblemAsync(500, Own + "parked", 6);
        Assert.Equal(2, runs);
        (await app.Client.DeleteUploadAsync("f")).Dispose();
        Assert.Equal(0, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task Append_while_handler_runs_waits_for_its_response()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int runs = 0;
        await using TestApp app = await AppAsync(configure: options => options.OnCompleted = async (upload, _) =>
        {
            runs++;
            entered.SetResult();
            await release.Task;
            upload.Response = UploadResponse.Text("one");
        });
        Task<HttpResponseMessage> first = app.Client.AppendAsync("f", 0, File, 6);
        await entered.Task;
        Task<HttpResponseMessage> second = app.Client.AppendAsync("f", 6, [], 6);
        Assert.Equal(6, await app.Client.StatusAsync("f"));
        release.SetResult();
        foreach (HttpResponseMessage response in await Task.WhenAll(first, second))
        {
            Assert.Equal("one", await response.Content.ReadAsStringAsync());
            response.Dispose();
        }

        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Append_after_CompletionTimeout_returns_503_with_Retry_After()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Handler.CompletionTimeout = TimeSpan.FromMilliseconds(1);
            options.OnCompleted = (_, _) =>
            {
                entered.SetResult();
                return release.Task;
            };
        });
        Task<HttpResponseMessage> first = app.Client.AppendAsync("f", 0, File, 6);
        await entered.Task;
        using (HttpResponseMessage second = await app.Client.AppendAsync("f", 6, [], 6))
        {
            Assert.Equal("5", second.Header("Retry-After"));
            await second.ShouldBeProblemAsync(503, Own + "still-completing", 6);
        }

        await app.Client.DeleteUploadAsync("f").ShouldBeProblemAsync(503, Own + "still-completing");
        release.SetResult();
        await first.ShouldHaveOffsetAsync(6, complete: true);
    }

    [Fact]
    public async Task Rejection_by_OnCreating_stores_nothing()
    {
        await using TestApp app = await AppAsync(configure: static options => options.OnCreating = static (upload, _) =>
        {
            if (upload.FileName.EndsWith(".exe", StringComparison.Ordinal))
            {
                upload.Reject(422, "Executable files are not accepted.");
            }

            return Task.CompletedTask;
        });
        using HttpResponseMessage rejected = await app.Client.AppendAsync("a.exe", 0, File, 6);
        Assert.Contains("Executable files are not accepted.", await rejected.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await rejected.ShouldBeProblemAsync(422, Own + "refused");
        Assert.Empty(app.StoredFiles);
        await app.Client.AppendAsync("a.txt", 0, File, 6).ShouldHaveOffsetAsync(6, complete: true);
    }
}

using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>What a client sees of an application that fails when all bytes are there.</summary>
public class HandlerFailureTests
{
    private static readonly byte[] File = "abcdef"u8.ToArray();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F7_a_handler_that_throws_is_run_again_by_an_empty_piece(bool inMemory)
    {
        var attempts = new List<(int Attempt, bool IsRepeat, long Size)>();
        await using TestApp app = await AppAsync(inMemory, options => options.OnCompleted = async (upload, cancellationToken) =>
        {
            await using Stream content = await upload.OpenReadAsync(cancellationToken);
            attempts.Add((upload.Attempt, upload.IsRepeat, content.Length));
            if (attempts.Count < 3)
            {
                throw new InvalidOperationException("not today");
            }
        });
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", i == 0 ? 0 : 6, i == 0 ? File : [], 6);
            Assert.Equal("10", response.Header("Retry-After"));
            Assert.DoesNotContain("not today", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            await response.ShouldBeProblemAsync(503, Own + "handler-failed", 6);
            Assert.Equal(6, await app.Client.StatusAsync("f"));
            await app.Client.AppendAsync("f", 6, [1]).ShouldBeProblemAsync(409, Own + "upload-complete", 6);
        }

        await app.Client.AppendAsync("f", 6, [], 6).ShouldHoldAsync(6, complete: true);
        await app.Client.AppendAsync("f", 6, [], 6).ShouldHoldAsync(6, complete: true);
        Assert.Equal([(1, false, 6), (2, true, 6), (3, true, 6)], attempts);
        Assert.Contains(app.Log.Lines, static line => line.Contains("not today", StringComparison.Ordinal));
    }

    [Fact]
    public async Task F7_a_handler_that_fails_too_often_is_not_run_again()
    {
        int runs = 0;
        await using TestApp app = await AppAsync(configure: options =>
        {
            options.Handler.MaxAttempts = 2;
            options.OnCompleted = (_, _) =>
            {
                runs++;
                throw new InvalidOperationException("never");
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
    public async Task F8_who_asks_while_the_handler_runs_waits_for_its_answer()
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
    public async Task F8_who_has_waited_long_enough_for_the_handler_is_told_to_come_back()
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
        await first.ShouldHoldAsync(6, complete: true);
    }

    [Fact]
    public async Task A_refusal_by_the_application_stores_nothing()
    {
        await using TestApp app = await AppAsync(configure: static options => options.OnCreating = static (upload, _) =>
        {
            if (upload.FileName.EndsWith(".exe", StringComparison.Ordinal))
            {
                upload.Reject(422, "No programs here.");
            }

            return Task.CompletedTask;
        });
        using HttpResponseMessage refused = await app.Client.AppendAsync("a.exe", 0, File, 6);
        Assert.Contains("No programs here.", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await refused.ShouldBeProblemAsync(422, Own + "refused");
        Assert.Empty(Directory.EnumerateFiles(app.Directory, "*", SearchOption.AllDirectories));
        await app.Client.AppendAsync("a.txt", 0, File, 6).ShouldHoldAsync(6, complete: true);
    }
}

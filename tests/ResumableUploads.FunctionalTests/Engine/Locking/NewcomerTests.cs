using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Engine.Locking;

/// <summary>Who comes while an older connection still holds the upload.</summary>
public class NewcomerTests
{
    private const int Held = 300_007;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(1_000_003);

    [Theory]
    [InlineData(Wire.ContentLength)]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task An_append_goes_on_where_a_silent_connection_stopped(Wire wire)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        await using LiveUpload silent = await HoldAsync(app, wire);

        await app.FinishAsync("f", Held, File);

        Answer? told = await silent.ReadResponseAsync();
        Assert.Equal(409, told?.Status);
        Assert.Contains("taken-over", told!.Body, StringComparison.Ordinal);
        Assert.Equal(Held.ToString(CultureInfo.InvariantCulture), told.StartByte);
    }

    [Fact]
    public async Task A_newcomer_whose_client_has_left_pushes_nobody_out()
    {
        var over = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int posts = 0;
        await using WatchedApp app = await WatchedApp.StartAsync(before: web => web.Use(async (context, next) =>
        {
            if (context.Request.Path != "/upload" || Interlocked.Increment(ref posts) != 2)
            {
                await next(context);
                return;
            }

            // The server is slow with this one: its client has left when it gets to the upload.
            var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenRegistration _ = context.RequestAborted.Register(left.SetResult);
            arrived.SetResult();
            await left.Task;
            await next(context);
            over.SetResult(context.Response.StatusCode);
        }));
        await using LiveUpload holder = await HoldAsync(app, Wire.Chunked);
        await using (LiveUpload late = await LiveUpload.BeginAsync(Wire.ContentLength, app.Address, "f", Held, File.Length - Held, File.Length))
        {
            await arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
            late.Cut(Cut.Reset);
        }

        await over.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await holder.SendAsync(File.AsMemory(Held));
        await holder.EndAsync();
        Assert.Equal(200, (await holder.ReadResponseAsync())?.Status);
    }

    [Fact]
    public async Task What_the_server_has_when_a_newcomer_asks_is_kept_before_the_newcomer_is_answered()
    {
        var asking = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WatchedApp app = await WatchedApp.StartAsync(Wire.Http2, before: web => web.Use(async (context, next) =>
        {
            Task answer = next(context);
            if (context.Request.Path == "/status")
            {
                // The holder was asked to leave, and the newcomer waits for it.
                asking.TrySetResult();
            }

            await answer;
        }));
        await using var holder = new Http2Upload(app.Address, "f", 0, File.Length);
        await holder.SendAsync(File.AsMemory(0, 1_000));
        await app.Store.WaitingAsync("f", 1_000);

        // The disk is busy with the second piece while the third arrives.
        var writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Store.AfterRead = () =>
        {
            writing.TrySetResult();
            return asking.Task;
        };
        await holder.SendAsync(File.AsMemory(1_000, 1_000));
        await writing.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await holder.SendAsync(File.AsMemory(2_000, 50_000));

        Assert.Equal(52_000, await holder.StatusAsync("f"));
        Assert.Equal(409, (await holder.ReadResponseAsync())?.Status);
        await app.FinishAsync("f", 52_000, File);
    }

    [Theory]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task A_delete_does_not_wait_for_a_silent_connection(Wire wire)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        await using LiveUpload silent = await HoldAsync(app, wire);

        using (HttpResponseMessage deleted = await app.Client.DeleteUploadAsync("f"))
        {
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }

        Assert.Equal(0, await app.Client.StatusAsync("f"));
        Assert.Empty(Directory.EnumerateFiles(app.App.Directory, "*.data", SearchOption.AllDirectories));
        Assert.NotNull(await silent.ReadResponseAsync());
        await app.FinishAsync("f", 0, File);
    }

    [Theory]
    [InlineData(Wire.Chunked, false)]
    [InlineData(Wire.Chunked, true)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http2, true)]
    public async Task Ten_newcomers_at_once_are_each_answered_and_the_number_stays_true(Wire wire, bool someDelete)
    {
        for (int round = 0; round < 5; round++)
        {
            await using WatchedApp app = await WatchedApp.StartAsync(wire);
            await using LiveUpload silent = await HoldAsync(app, wire);

            Task<(string What, int Status)>[] newcomers = [.. Enumerable.Range(0, 10).Select(i => (i % 3) switch
            {
                0 => StatusAsync(app),
                1 => AppendAsync(app, 100_000),
                _ => someDelete ? DeleteAsync(app) : StatusAsync(app),
            })];
            (string What, int Status)[] answers = await Task.WhenAll(newcomers).WaitAsync(TimeSpan.FromSeconds(20));

            Assert.All(answers, static answer => Assert.Contains(answer.Status, answer.What switch
            {
                "status" => [200],
                "delete" => [204],
                _ => new[] { 200, 409 },
            }));
            Assert.True(answers.Count(static answer => answer is ("append", 200)) <= 1);

            long status = await app.Client.StatusAsync("f");
            if (someDelete)
            {
                Assert.Equal(0, status);
            }
            else
            {
                Assert.InRange(status, Held, Held + 100_000);
                Assert.Equal(File[..(int)status], await app.ContentAsync("f"));
            }

            await app.FinishAsync("f", status, File);
        }
    }

    [Fact]
    public async Task A_client_is_not_kept_out_by_its_own_dead_connection_when_one_append_at_a_time_is_allowed()
    {
        await using WatchedApp app = await WatchedApp.StartAsync(configure: static options => options.Limits.MaxAppendsPerOwner = 1);
        await using LiveUpload silent = await HoldAsync(app, Wire.Chunked);
        using (HttpResponseMessage other = await app.Client.AppendAsync("other", 0, new byte[10], 100))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, other.StatusCode);
        }

        await app.FinishAsync("f", Held, File);
        using HttpResponseMessage again = await app.Client.AppendAsync("other", 0, new byte[10], 100);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Theory]
    [InlineData(50_000, 1_000, 0, 409)]
    [InlineData(0, 1_000, 0, 409)]
    [InlineData(Held, 900_000, 0, 413)]
    [InlineData(Held, 1_000, 1, 400)]
    [InlineData(50_000, 1_000, 20_000_000, 413)]
    public async Task A_request_that_cannot_go_on_does_not_push_out_the_one_that_does(long startByte, int bytes, long sizeOff, int expected)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(configure: static options => options.MaxUploadSize = 10_000_000);
        await using LiveUpload holder = await HoldAsync(app, Wire.Chunked);

        using (HttpResponseMessage refused = await app.Client.AppendAsync("f", startByte, new byte[bytes], File.Length + sizeOff))
        {
            Assert.Equal(expected, (int)refused.StatusCode);
            if (expected == 409)
            {
                Assert.Equal(Held.ToString(CultureInfo.InvariantCulture), refused.Header("X-Start-Byte"));
            }
        }

        await holder.SendAsync(File.AsMemory(Held));
        await holder.EndAsync();
        Answer? answer = await holder.ReadResponseAsync();
        Assert.Equal(200, answer?.Status);
        app.AssertFinished(File);
    }

    private static async Task<LiveUpload> HoldAsync(WatchedApp app, Wire wire)
    {
        LiveUpload holder = await app.BeginAsync(wire, "f", 0, File.Length, File.Length);
        await holder.SendAsync(File.AsMemory(0, Held));
        await app.Store.WaitingAsync("f", Held);
        return holder;
    }

    private static async Task<(string, int)> StatusAsync(WatchedApp app)
    {
        await app.Client.StatusAsync("f");
        return ("status", 200);
    }

    private static async Task<(string, int)> AppendAsync(WatchedApp app, int bytes)
    {
        using HttpResponseMessage response = await app.Client.AppendAsync("f", Held, File[Held..(Held + bytes)], File.Length);
        return ("append", (int)response.StatusCode);
    }

    private static async Task<(string, int)> DeleteAsync(WatchedApp app)
    {
        using HttpResponseMessage response = await app.Client.DeleteUploadAsync("f");
        return ("delete", (int)response.StatusCode);
    }
}

using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Engine.Locking;

/// <summary>Requests that arrive while an older connection still holds the upload lock.</summary>
public class PreemptionTests
{
    private const int Held = 300_007;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(1_000_003);

    [Theory]
    [InlineData(Wire.ContentLength)]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Append_preempts_silent_connection_and_resumes_at_its_offset(Wire wire)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire);
        await using LiveUpload silent = await HoldAsync(app, wire);

        await app.FinishAsync("f", Held, File);

        UploadReply? reply = await silent.ReadResponseAsync();
        Assert.Equal(409, reply?.Status);
        Assert.Contains("taken-over", reply!.Body, StringComparison.Ordinal);
        Assert.Equal(Held.ToString(CultureInfo.InvariantCulture), reply.StartByte);
    }

    [Fact]
    public async Task Request_of_disconnected_client_does_not_preempt_holder()
    {
        var completed = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int posts = 0;
        await using WatchedApp app = await WatchedApp.StartAsync(before: web => web.Use(async (context, next) =>
        {
            if (context.Request.Path != "/upload" || Interlocked.Increment(ref posts) != 2)
            {
                await next(context);
                return;
            }

            // Delays the request until its client has disconnected.
            var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenRegistration _ = context.RequestAborted.Register(left.SetResult);
            arrived.SetResult();
            await left.Task;
            await next(context);
            completed.SetResult(context.Response.StatusCode);
        }));
        await using LiveUpload holder = await HoldAsync(app, Wire.Chunked);
        await using (LiveUpload late = await LiveUpload.BeginAsync(Wire.ContentLength, app.Address, "f", Held, File.Length - Held, File.Length))
        {
            await arrived.Task.WaitAsync(TimeSpan.FromMinutes(2));
            late.Cut(Cut.Reset);
        }

        await completed.Task.WaitAsync(TimeSpan.FromMinutes(2));
        await holder.SendAsync(File.AsMemory(Held));
        await holder.EndAsync();
        Assert.Equal(200, (await holder.ReadResponseAsync())?.Status);
    }

    [Fact]
    public async Task Status_of_new_request_includes_bytes_received_by_preempted_append()
    {
        var statusRequested = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WatchedApp app = await WatchedApp.StartAsync(Wire.Http2, before: web => web.Use(async (context, next) =>
        {
            Task running = next(context);
            if (context.Request.Path == "/status")
            {
                // The lock holder was asked to release the lock, and the status request waits for it.
                statusRequested.TrySetResult();
            }

            await running;
        }));
        await using var holder = new Http2Upload(app.Address, "f", 0, File.Length);
        await holder.SendAsync(File.AsMemory(0, 1_000));
        await app.Store.WaitingAsync("f", 1_000);

        // The store is writing the second chunk while the third chunk arrives.
        var writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Store.AfterRead = () =>
        {
            writing.TrySetResult();
            return statusRequested.Task;
        };
        await holder.SendAsync(File.AsMemory(1_000, 1_000));
        await writing.Task.WaitAsync(TimeSpan.FromMinutes(2));
        await holder.SendAsync(File.AsMemory(2_000, 50_000));

        Assert.Equal(52_000, await holder.StatusAsync("f"));
        Assert.Equal(409, (await holder.ReadResponseAsync())?.Status);
        await app.FinishAsync("f", 52_000, File);
    }

    [Theory]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Delete_preempts_silent_connection(Wire wire)
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
    public async Task Ten_concurrent_requests_receive_responses_and_offset_is_exact(Wire wire, bool someDelete)
    {
        for (int round = 0; round < 5; round++)
        {
            await using WatchedApp app = await WatchedApp.StartAsync(wire);
            await using LiveUpload silent = await HoldAsync(app, wire);

            Task<(string What, int Status)>[] requests = [.. Enumerable.Range(0, 10).Select(i => (i % 3) switch
            {
                0 => StatusAsync(app),
                1 => AppendAsync(app, 100_000),
                _ => someDelete ? DeleteAsync(app) : StatusAsync(app),
            })];
            (string What, int Status)[] results = await Task.WhenAll(requests).WaitAsync(TimeSpan.FromMinutes(2));

            Assert.All(results, static result => Assert.Contains(result.Status, result.What switch
            {
                "status" => [200],
                "delete" => [204],
                
                // 503 is for an append that finds another one at its own offset and must not stop it.
                _ => new[] { 200, 409, 503 },
            }));
            Assert.True(results.Count(static result => result is ("append", 200)) <= 1);

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
    public async Task Append_with_MaxAppendsPerOwner_of_1_preempts_own_silent_connection()
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
    [InlineData(Held + 1, 1_000, 0, 409)]
    [InlineData(Held, 900_000, 0, 413)]
    [InlineData(Held, 1_000, 1, 400)]
    [InlineData(50_000, 1_000, 20_000_000, 413)]
    public async Task Rejected_append_does_not_preempt_holder(long startByte, int bytes, long sizeDifference, int expected)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(configure: static options => options.MaxUploadSize = 10_000_000);
        await using LiveUpload holder = await HoldAsync(app, Wire.Chunked);

        using (HttpResponseMessage rejected = await app.Client.AppendAsync("f", startByte, new byte[bytes], File.Length + sizeDifference))
        {
            Assert.Equal(expected, (int)rejected.StatusCode);
            if (expected == 409)
            {
                Assert.Equal(Held.ToString(CultureInfo.InvariantCulture), rejected.Header("X-Start-Byte"));
            }
        }

        await holder.SendAsync(File.AsMemory(Held));
        await holder.EndAsync();
        UploadReply? reply = await holder.ReadResponseAsync();
        Assert.Equal(200, reply?.Status);
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

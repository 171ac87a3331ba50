using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Events;

public class ProgressEventTests
{
    private const int Chunk = 10_000;

    [Fact]
    public async Task OnProgress_reports_stored_offsets_in_order_once_per_interval()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var store = new MemoryUploadStore(timeProvider: time);
        var reported = new ConcurrentQueue<(long Offset, long Stored)>();
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Store = store;
                options.OnProgress = async (upload, cancellationToken) =>
                    reported.Enqueue((upload.Offset, (await store.GetAsync(upload.Key, cancellationToken))!.Offset));
            },
            services: builder => builder.Services.AddSingleton<TimeProvider>(time));
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {6 * Chunk}", $"Content-Length: {6 * Chunk}");
        for (int chunk = 1; chunk <= 5; chunk++)
        {
            // The second and fourth chunk arrive within the interval after the previous chunk.
            await connection.SendAsync(new byte[Chunk]);
            await Eventually.TrueAsync(async () => await OffsetAsync(store) == chunk * Chunk, $"chunk {chunk} was stored");
            if (chunk % 2 == 1)
            {
                int expected = (chunk + 1) / 2;
                await Eventually.TrueAsync(() => reported.Count >= expected, $"chunk {chunk} was reported");
            }
            else
            {
                time.Advance(TimeSpan.FromMilliseconds(501));
            }
        }

        Assert.Equal(reported.Select(static t => t.Offset).Distinct().Order(), reported.Select(static t => t.Offset));
        Assert.All(reported, static t => Assert.True(t.Offset > 0 && t.Offset <= t.Stored, $"{t.Offset} was reported while {t.Stored} bytes were stored."));
        await connection.SendAsync(new byte[Chunk]);
        Assert.Equal("true", (await connection.ReadResponseAsync())!.Header("X-Upload-Complete"));
        Assert.Equal(3, reported.Count);
    }

    [Fact]
    public async Task OnProgress_is_not_concurrent_and_not_called_after_completion()
    {
        int running = 0, maxRunning = 0;
        bool completed = false, calledAfterCompletion = false;
        var reported = new ConcurrentQueue<long>();
        await using TestApp app = await TestApp.StartAsync(options =>
        {
            options.Timeouts.ProgressInterval = TimeSpan.FromTicks(1);
            options.OnProgress = async (upload, _) =>
            {
                maxRunning = Math.Max(maxRunning, Interlocked.Increment(ref running));
                calledAfterCompletion |= completed;
                await Task.Yield();
                calledAfterCompletion |= completed;
                reported.Enqueue(upload.Offset);
                Interlocked.Decrement(ref running);
            };
            options.OnCompleted = (_, _) =>
            {
                completed = true;
                return Task.CompletedTask;
            };
        });
        for (int chunk = 0; chunk < 10; chunk++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", chunk * 500_000, new byte[500_000], 5_000_000);
            Assert.Equal(200, (int)response.StatusCode);
        }

        Assert.True(completed);
        Assert.False(calledAfterCompletion);
        Assert.Equal(1, maxRunning);
        Assert.Equal(reported.Order(), reported);
        Assert.True(reported.Count >= 10);
    }

    [Fact]
    public async Task OnProgress_exception_is_logged_and_upload_completes()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options => options.OnProgress = static (_, _) => throw new InvalidOperationException("The progress handler failed."), onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[1000], 1000);

        Assert.Equal((200, "true"), ((int)response.StatusCode, response.Header("X-Upload-Complete")));
        Assert.Contains(app.Log.Lines, static line => line.Contains("The progress handler failed.", StringComparison.Ordinal));
    }

    private static async Task<long> OffsetAsync(MemoryUploadStore store)
    {
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery(), CancellationToken.None))
        {
            return info.Offset;
        }

        return 0;
    }
}

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
    private const int Piece = 10_000;

    [Fact]
    public async Task It_is_told_in_order_with_what_is_stored_and_not_more_often_than_the_interval()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var store = new MemoryUploadStore(timeProvider: time);
        var told = new ConcurrentQueue<(long Offset, long Stored)>();
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Store = store;
                options.OnProgress = async (upload, cancellationToken) =>
                    told.Enqueue((upload.Offset, (await store.GetAsync(upload.Key, cancellationToken))!.Offset));
            },
            services: builder => builder.Services.AddSingleton<TimeProvider>(time));
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-File-Size: {6 * Piece}", $"Content-Length: {6 * Piece}");
        for (int piece = 1; piece <= 5; piece++)
        {
            // The second and the fourth piece come within the interval after the one before.
            await connection.SendAsync(new byte[Piece]);
            await Eventually.TrueAsync(async () => await OffsetAsync(store) == piece * Piece, $"piece {piece} was stored");
            if (piece % 2 == 1)
            {
                int expected = (piece + 1) / 2;
                await Eventually.TrueAsync(() => told.Count >= expected, $"piece {piece} was told");
            }
            else
            {
                time.Advance(TimeSpan.FromMilliseconds(501));
            }
        }

        Assert.Equal(told.Select(static t => t.Offset).Distinct().Order(), told.Select(static t => t.Offset));
        Assert.All(told, static t => Assert.True(t.Offset > 0 && t.Offset <= t.Stored, $"{t.Offset} was told where {t.Stored} bytes were stored."));
        await connection.SendAsync(new byte[Piece]);
        Assert.Equal("true", (await connection.ReadResponseAsync())!.Header("X-Upload-Complete"));
        Assert.Equal(3, told.Count);
    }

    [Fact]
    public async Task It_is_one_call_at_a_time_and_never_after_completion()
    {
        int running = 0, atMost = 0;
        bool completed = false, late = false;
        var told = new ConcurrentQueue<long>();
        await using TestApp app = await TestApp.StartAsync(options =>
        {
            options.Timeouts.ProgressInterval = TimeSpan.FromTicks(1);
            options.OnProgress = async (upload, _) =>
            {
                atMost = Math.Max(atMost, Interlocked.Increment(ref running));
                late |= completed;
                await Task.Yield();
                late |= completed;
                told.Enqueue(upload.Offset);
                Interlocked.Decrement(ref running);
            };
            options.OnCompleted = (_, _) =>
            {
                completed = true;
                return Task.CompletedTask;
            };
        });
        for (int piece = 0; piece < 10; piece++)
        {
            using HttpResponseMessage answer = await app.Client.AppendAsync("f", piece * 500_000, new byte[500_000], 5_000_000);
            Assert.Equal(200, (int)answer.StatusCode);
        }

        Assert.True(completed);
        Assert.False(late);
        Assert.Equal(1, atMost);
        Assert.Equal(told.Order(), told);
        Assert.True(told.Count >= 10);
    }

    [Fact]
    public async Task A_handler_that_throws_spoils_nothing_and_is_logged()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options => options.OnProgress = static (_, _) => throw new InvalidOperationException("The bar is broken."), onTestHost: true);
        using HttpResponseMessage answer = await app.Client.AppendAsync("f", 0, new byte[1000], 1000);

        Assert.Equal((200, "true"), ((int)answer.StatusCode, answer.Header("X-Upload-Complete")));
        Assert.Contains(app.Log.Lines, static line => line.Contains("The bar is broken.", StringComparison.Ordinal));
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

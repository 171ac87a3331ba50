using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Expiration;

/// <summary>Expiration and retention of uploads, with a fake clock.</summary>
public class ExpirationTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly List<(string? Name, long Offset, UploadState State)> _expired = [];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Upload_expires_after_Expiration_since_its_last_byte(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory, Configure, _time);
        await app.Client.AppendAsync("f", 0, [1], 10).ShouldHaveOffsetAsync(1);
        for (int i = 1; i < 4; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(50));
            await app.Client.AppendAsync("f", i, [1], 10).ShouldHaveOffsetAsync(i + 1);
        }

        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(4, await app.Client.StatusAsync("f"));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, await app.Client.StatusAsync("f"));
        await app.Client.AppendAsync("f", 4, [1], 10).ShouldBeProblemAsync(409, OffsetMismatch, 0);
        await app.Client.AppendAsync("f", 0, [1, 2], 20).ShouldHaveOffsetAsync(2);
        Assert.Equal([("f", 4L, UploadState.Receiving)], _expired);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Upload_expires_after_MaxAge_despite_new_bytes(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory, Configure, _time);
        await app.Client.AppendAsync("f", 0, [1], 100).ShouldHaveOffsetAsync(1);
        for (int i = 1; i < 6; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(55));
            await app.Client.AppendAsync("f", i, [1], 100).ShouldHaveOffsetAsync(i + 1);
        }

        _time.Advance(TimeSpan.FromMinutes(25));
        Assert.Equal(0, await app.Client.StatusAsync("f"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Completed_upload_is_kept_for_CompletedRetention(bool inMemory)
    {
        await using TestApp app = await AppAsync(inMemory, Configure, _time);
        await app.Client.AppendAsync("f", 0, [1, 2], 2).ShouldHaveOffsetAsync(2, complete: true);
        _time.Advance(TimeSpan.FromMinutes(119));
        await app.Client.AppendAsync("f", 2, [], 2).ShouldHaveOffsetAsync(2, complete: true);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, await app.Client.StatusAsync("f"));
        await app.Client.AppendAsync("f", 2, [], 2).ShouldBeProblemAsync(409, OffsetMismatch, 0);
    }

    [Fact]
    public async Task Completed_upload_without_handler_never_expires()
    {
        await using TestApp app = await AppAsync(false, options =>
        {
            Configure(options);
            options.OnCompleted = null;
        }, _time);
        await app.Client.AppendAsync("f", 0, [1, 2], 2).ShouldHaveOffsetAsync(2, complete: true);
        _time.Advance(TimeSpan.FromDays(20_000));
        Assert.Equal(2, await app.Client.StatusAsync("f"));
    }

    [Fact]
    public async Task Sweep_removes_expired_uploads_and_calls_OnExpired()
    {
        var store = new SweptStore(new MemoryUploadStore(timeProvider: _time));
        await using TestApp app = await AppAsync(configure: options =>
        {
            Configure(options);
            options.Store = store;
        }, time: _time);
        await store.SweptAsync();
        await app.Client.AppendAsync("old", 0, [1, 2, 3], 10).ShouldHaveOffsetAsync(3);
        await app.Client.AppendAsync("done", 0, [1, 2], 2).ShouldHaveOffsetAsync(2, complete: true);
        await AdvanceAsync(store, intervals: 3);
        await app.Client.AppendAsync("young", 0, [1], 10).ShouldHaveOffsetAsync(1);
        Assert.Empty(_expired);
        await AdvanceAsync(store, intervals: 3);
        Assert.Equal([("old", 3L, UploadState.Receiving)], _expired);
        Assert.Equal(2, await store.CountAsync());
        await AdvanceAsync(store, intervals: 6);
        Assert.Equal(0, await store.CountAsync());
        Assert.Contains(("done", 2L, UploadState.Completed), _expired);
    }

    [Fact]
    public async Task Sweep_keeps_upload_with_a_running_append()
    {
        var store = new SweptStore(new MemoryUploadStore(timeProvider: _time));
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await AppAsync(configure: options =>
        {
            Configure(options);
            options.Store = store;
            options.OnProgress = (_, _) =>
            {
                started.TrySetResult();
                return Task.CompletedTask;
            };
        }, time: _time);
        await store.SweptAsync();
        await app.Client.AppendAsync("other", 0, [1], 10).ShouldHaveOffsetAsync(1);
        await started.Task;
        started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = new BlockedContent([1, 2], [3]);
        Task<HttpResponseMessage> sending = app.Client.AppendAsync("f", 0, held, 3);
        await started.Task;
        _time.Advance(TimeSpan.FromHours(10));
        await store.SweptAsync();
        Assert.Equal("other", Assert.Single(_expired).Name);
        held.Release();
        await sending.ShouldHaveOffsetAsync(3, complete: true);
    }

    [Fact]
    public async Task Sweep_retries_failed_handler_until_dead_lettered()
    {
        var store = new SweptStore(new MemoryUploadStore(timeProvider: _time));
        var attempts = new List<int>();
        await using TestApp app = await AppAsync(configure: options =>
        {
            Configure(options);
            options.Store = store;
            options.Handler.MaxAttempts = 3;
            options.OnCompleted = (upload, _) =>
            {
                attempts.Add(upload.Attempt);
                throw new InvalidOperationException("always");
            };
        }, time: _time);
        await store.SweptAsync();
        await app.Client.AppendAsync("f", 0, [1, 2], 2).ShouldBeProblemAsync(503, Own + "handler-failed", 2);
        for (int i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(10));
            await store.SweptAsync();
        }

        Assert.Equal([1, 2, 3], attempts);
        await app.Client.AppendAsync("f", 2, [], 2).ShouldBeProblemAsync(500, Own + "parked", 2);
    }

    [Fact]
    public async Task Sweep_does_not_wait_for_a_slow_handler()
    {
        var store = new SweptStore(new MemoryUploadStore(timeProvider: _time));
        var releaseHandlers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var runs = new System.Collections.Concurrent.ConcurrentQueue<string?>();
        await using TestApp app = await AppAsync(configure: options =>
        {
            Configure(options);
            options.Store = store;
            options.OnCompleted = async (upload, token) =>
            {
                if (!upload.IsRepeat)
                {
                    throw new InvalidOperationException("The first attempt fails.");
                }

                runs.Enqueue(upload.RawFileName);
                await releaseHandlers.Task.WaitAsync(token);
            };
        }, time: _time);
        await store.SweptAsync();
        foreach (string name in (string[])["a", "b", "c"])
        {
            await app.Client.AppendAsync(name, 0, [1, 2], 2).ShouldBeProblemAsync(503, Own + "handler-failed", 2);
        }

        await Eventually.TrueAsync(() => runs.Count == 3, "all handlers run concurrently", () => _time.Advance(TimeSpan.FromMinutes(1)));
        releaseHandlers.SetResult();
        Assert.Equal(["a", "b", "c"], runs.Order());
    }

    [Fact]
    public async Task Endpoints_that_share_a_store_share_one_sweep()
    {
        var store = new SweptStore(new MemoryUploadStore(timeProvider: _time));
        await using TestApp app = await AppAsync(
            configure: options =>
            {
                Configure(options);
                options.Store = store;
            },
            time: _time,
            after: web => web.UseResumableUploads(options =>
            {
                Configure(options);
                (options.UploadPath, options.StatusPath, options.Store, options.Expiration) = ("/videos", null, store, TimeSpan.FromMinutes(30));
            }));
        await store.SweptAsync();
        await app.Client.AppendAsync("f", 0, [1], 10).ShouldHaveOffsetAsync(1);
        using (HttpResponseMessage video = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 10, "/videos"))
        {
            Assert.Equal(200, (int)video.StatusCode);
        }

        for (int i = 1; i <= 6; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(10));
            await store.SweptAsync();
            Assert.Equal(1 + i, store.Walks);
            Assert.Equal(i < 3 ? 2 : i < 6 ? 1 : 0, await store.CountAsync());
        }
    }

    /// <summary>Advances the clock by a number of sweep intervals, and waits for the sweep of each.</summary>
    private async Task AdvanceAsync(SweptStore store, int intervals)
    {
        for (int i = 0; i < intervals; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(10));
            await store.SweptAsync();
        }
    }

    private void Configure(ResumableUploadOptions options)
    {
        options.Expiration = TimeSpan.FromHours(1);
        options.Timeouts.MaxAge = TimeSpan.FromHours(5);
        options.Timeouts.CompletedRetention = TimeSpan.FromHours(2);
        options.Timeouts.SweepInterval = TimeSpan.FromMinutes(10);
        options.Timeouts.IdleTimeout = TimeSpan.FromDays(40);
        options.Limits.MinDataRate = 0;
        options.OnExpired = (upload, _) =>
        {
            lock (_expired)
            {
                _expired.Add((upload.RawFileName, upload.Offset, upload.State));
            }

            return Task.CompletedTask;
        };
    }

    /// <summary>Signals the end of each sweep.</summary>
    private sealed class SweptStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore), ISelfCleaningStore
    {
        private readonly SemaphoreSlim _swept = new(0);

        private int _walks;

        /// <summary>Gets how often all uploads were listed.</summary>
        public int Walks => Volatile.Read(ref _walks);

        public async Task SweptAsync() => Assert.True(await _swept.WaitAsync(TimeSpan.FromSeconds(30)));

        public async Task<int> CountAsync()
        {
            int count = 0;
            await foreach (UploadInfo _ in InnerStore.ListAsync(new UploadQuery(), default))
            {
                count++;
            }

            return count;
        }

        public ValueTask CleanUpAsync(CancellationToken cancellationToken)
        {
            _swept.Release();
            return ValueTask.CompletedTask;
        }

        public override IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken)
        {
            if (query.Owner is null)
            {
                Interlocked.Increment(ref _walks);
            }

            return InnerStore.ListAsync(query, cancellationToken);
        }
    }
}

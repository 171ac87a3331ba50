using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>The listing of a store that counts the uploads of an owner hangs, and ignores its token.</summary>
public sealed class CountTimeoutTests : IDisposable
{
    private static readonly QuotaAccount Account = new("a");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly HangingListStore _store = new();
    private readonly OwnerQuota _quota;

    public CountTimeoutTests() => _quota = new OwnerQuota(_store, new OwnerUsageTable(), TestSettings.Default with { MaxBytesPerOwner = 100 }, _time, default);

    public void Dispose() => _store.Release.TrySetResult();

    [Fact]
    public async Task Requests_do_not_wait_longer_than_ten_seconds_for_a_count()
    {
        Task[] requests = [.. Enumerable.Range(0, 3).Select(_ => GetAvailableAsync())];
        await Eventually.WithinAsync(_store.Hanging.Task);
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.All(requests, static request => Assert.False(request.IsCompleted));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        foreach (Task request in requests)
        {
            UploadStoreException failure = await Assert.ThrowsAsync<UploadStoreException>(() => Eventually.WithinAsync(request));
            Assert.Equal(StoreFailure.Unavailable, failure.Failure);
        }

        Assert.Equal(1, _store.Lists);
    }

    [Fact]
    public async Task Count_continues_for_the_next_request()
    {
        await _store.CreateAsync(new UploadKey("a", "1"), new UploadRecord { Length = 70 }, default);
        using var cancellation = new CancellationTokenSource();
        Task<long> canceled = _quota.GetAvailableBytesAsync(Account, cancellation.Token).AsTask();
        Task<long> next = GetAvailableAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Eventually.WithinAsync(canceled));
        _store.Release.SetResult();
        Assert.Equal((30, 1), (await Eventually.WithinAsync(next), _store.Lists));
    }

    [Fact]
    public async Task Count_that_hangs_is_given_up_and_started_again()
    {
        _ = GetAvailableAsync().ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await Eventually.WithinAsync(_store.Hanging.Task);
        _store.Hangs = false;
        Task<long>? next = null;
        await Eventually.TrueAsync(
            async () =>
            {
                _time.Advance(TimeSpan.FromMinutes(1));
                next = GetAvailableAsync();
                _time.Advance(TimeSpan.FromSeconds(10));
                await Task.WhenAny(next);
                return next.IsCompletedSuccessfully;
            },
            "another count succeeds");
        Assert.Equal((100, 2), (await next!, _store.Lists));
    }

    [Fact]
    public async Task Creation_during_a_count_that_hangs_returns_503()
    {
        await using TestApp app = await AppAsync(configure: options => options.Store = _store, time: _time);
        Task<HttpResponseMessage> creation = app.Client.AppendAsync("f", 0, [1, 2, 3], 3);
        await Eventually.TrueAsync(() => creation.IsCompleted, "the request ends", () => _time.Advance(TimeSpan.FromSeconds(1)));
        using HttpResponseMessage response = await creation;
        Assert.Equal(503, (int)response.StatusCode);
        Assert.NotNull(response.Header("Retry-After"));
    }

    [Fact]
    public async Task Creation_during_a_count_that_the_stop_of_the_server_ends_returns_shutting_down()
    {
        await using TestApp app = await AppAsync(configure: options => options.Store = _store, time: _time);
        Task<HttpResponseMessage> creation = app.Client.AppendAsync("f", 0, [1, 2, 3], 3);
        await Eventually.WithinAsync(_store.Hanging.Task);
        Task stop = app.Services.GetRequiredService<IHost>().StopAsync(TestContext.Current.CancellationToken);
        using HttpResponseMessage response = await Eventually.WithinAsync(creation);
        Assert.Equal(503, (int)response.StatusCode);
        Assert.Contains(":shutting-down", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        _store.Release.TrySetResult();
        await Eventually.WithinAsync(stop);
    }

    private Task<long> GetAvailableAsync() => _quota.GetAvailableBytesAsync(Account, default).AsTask();

    private sealed class HangingListStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        private int _lists;

        public bool Hangs { get; set; } = true;

        public int Lists => Volatile.Read(ref _lists);

        /// <summary>Gets the source of a task that completes when a listing hangs.</summary>
        public TaskCompletionSource Hanging { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            if (query.Owner is not null)
            {
                Interlocked.Increment(ref _lists);
                if (Hangs)
                {
                    Hanging.TrySetResult();
                    await Release.Task;
                }
            }

            await foreach (UploadInfo info in InnerStore.ListAsync(query, cancellationToken))
            {
                yield return info;
            }
        }
    }
}

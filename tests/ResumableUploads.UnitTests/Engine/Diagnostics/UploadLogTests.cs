using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Diagnostics;

/// <summary>What the engine logs, and at which level.</summary>
public sealed class UploadLogTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly FailingGetStore _store = new();
    private readonly TestEngine _engine;

    public UploadLogTests() => _engine = new TestEngine(_store, _time);

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task Completed_upload_has_one_line_with_size_duration_requests_and_rate()
    {
        _engine.Callbacks.OnCompleted = static (_, _) => Task.FromResult(new HandlerResult(HandlerResultKind.Final, null));
        await _engine.AppendAsync(0, new byte[4], 30);
        _time.Advance(TimeSpan.FromSeconds(3));
        await _engine.AppendAsync(4, new byte[6], 30);
        _time.Advance(TimeSpan.FromSeconds(2));
        await _engine.AppendAsync(10, new byte[20], 30);
        string line = Assert.Single(Lines(), static line => line.StartsWith("Information", StringComparison.Ordinal));
        Assert.Contains("[204] Upload owner/id was completed: 30 bytes in 00:00:05 and 3 requests, 6 bytes per second.", line, StringComparison.Ordinal);
        Assert.StartsWith("Debug", Assert.Single(Lines(), static line => line.Contains("name", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upload_that_starts_over_counts_its_requests_again()
    {
        await _engine.AppendAsync(0, new byte[4], 10);
        await _engine.CancelAsync();
        await _engine.AppendAsync(0, new byte[10], 10);
        Assert.Contains(Lines(), static line => line.Contains("[204]", StringComparison.Ordinal) && line.Contains(" 1 requests", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Failures_of_store_are_errors_once_per_minute_and_kind()
    {
        async Task FailAsync(StoreFailure failure)
        {
            _store.Failure = failure;
            Assert.Contains((await _engine.AppendAsync(0, new byte[4], 10)).Kind, new[] { UploadResultKind.StorageFailed, UploadResultKind.StorageFull });
        }

        await FailAsync(StoreFailure.Unavailable);
        await FailAsync(StoreFailure.Unavailable);
        await FailAsync(StoreFailure.Full);
        await FailAsync(StoreFailure.Unavailable);
        Assert.Equal(["Error", "Debug", "Error", "Debug"], Levels(208));
        _time.Advance(TimeSpan.FromMinutes(1));
        await FailAsync(StoreFailure.Unavailable);
        Assert.Equal("Error", Levels(208)[^1]);
        Assert.Contains("2 were not since the last one", Lines().Last(static line => line.Contains("[208]", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dead_lettered_upload_is_an_error_unless_the_client_caused_it(bool isClientFault)
    {
        _engine.Callbacks.OnCompleted = (_, _) => Task.FromResult(new HandlerResult(HandlerResultKind.DeadLetter, null) { IsClientFault = isClientFault });
        await _engine.AppendAsync(0, new byte[10], 10);
        Assert.Equal(isClientFault ? ["Information"] : Array.Empty<string>(), Levels(218));
        Assert.Equal(isClientFault ? [] : new[] { "Error" }, Levels(210));
        Assert.Equal(!isClientFault, Lines().Any(static line => line.StartsWith("Error", StringComparison.Ordinal)));
    }

    private string[] Lines() => [.. _engine.Log.Lines];

    private string[] Levels(int id) => [.. Lines().Where(line => line.Contains($"[{id}]", StringComparison.Ordinal)).Select(static line => line.Split(' ')[0])];

    private sealed class FailingGetStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public StoreFailure? Failure { get; set; }

        public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
            Failure is { } failure ? throw new UploadStoreException(failure, "Injected failure.") : base.GetAsync(key, cancellationToken);
    }
}

using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Reliability;

/// <summary>A run of the completion handler after which the store fails, also with exceptions that the contract does not name.</summary>
public class FailingRunTests
{
    [Theory]
    [InlineData(typeof(TimeoutException))]
    [InlineData(typeof(UploadStoreException))]
    public async Task Run_whose_store_fails_twice_ends_and_the_handler_runs_again(Type exception)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        using var memory = new MemoryUploadStore(timeProvider: time);
        bool fails = false;
        var store = new HookedStore(memory) 
        {
            BeforeGet = _ => fails ? throw CreateException(exception) : Task.CompletedTask,
            BeforeComplete = _ => fails ? throw CreateException(exception) : Task.CompletedTask,
        };
        await using var engine = new TestEngine(store, time);
        int runs = 0;
        engine.Callbacks.OnCompleted = (_, _) =>
        {
            fails = ++runs == 1;
            return Task.FromResult(new HandlerResult(HandlerResultKind.Final, new byte[] { 1 }));
        };
        UploadResult result = await Eventually.WithinAsync(engine.AppendAsync(0, [1, 2], 2));
        Assert.Contains(result.Kind, new[] { UploadResultKind.HandlerFailed, UploadResultKind.StorageFailed });
        Assert.Null(result.Offset);
        fails = false;
        time.Advance(TestSettings.Default.HandlerLeaseDuration * 2);
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(engine.AppendAsync(2, [], 2))).Kind);
        Assert.Equal(2, runs);
    }

    private static Exception CreateException(Type type) =>
        type == typeof(UploadStoreException) ? new UploadStoreException(StoreFailure.Unavailable, "Injected failure.") : (Exception)Activator.CreateInstance(type)!;
}

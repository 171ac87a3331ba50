using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.UnitTests.Engine;

namespace ResumableUploads.UnitTests.Hosting.Startup;

/// <summary>The end of the engines of an application.</summary>
public class SharedUploadServicesTests
{
    [Fact]
    public async Task StopAsync_waits_for_the_handlers_of_all_engines_together()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        var lifetime = new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance);
        await using ServiceProvider services = new ServiceCollection()
            .AddSingleton<IHostApplicationLifetime>(lifetime).AddSingleton<TimeProvider>(time).BuildServiceProvider();
        var shared = new SharedUploadServices(services);
        var end = new TaskCompletionSource<HandlerResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var appends = new List<Task>();
        for (int i = 0; i < 3; i++)
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var store = new MemoryUploadStore(timeProvider: time);
            var engine = new TestEngine(store, time);
            engine.Callbacks.OnCompleted = (_, _) =>
            {
                started.SetResult();
                return end.Task;
            };
            shared.Run(engine.Engine, new UploadMetrics(null), store, engine.Engine.CreateSweepVisitor(engine.Callbacks));
            appends.Add(engine.AppendAsync(0, [1], 1));
            await Eventually.WithinAsync(started.Task);
        }

        lifetime.StopApplication();
        Task stop = shared.StopAsync();
        Assert.False(stop.IsCompleted);
        time.Advance(TestSettings.Default.AppendGracePeriod);
        await Eventually.WithinAsync(stop);
        end.SetResult(new HandlerResult(HandlerResultKind.Final, default));
        await Eventually.WithinAsync(Task.WhenAll(appends));
    }
}

using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Management;

public class UploadActionTests
{
    private static readonly UploadKey Missing = new("user-1", "0123456789abcdef");

    [Theory]
    [InlineData("cancel")]
    [InlineData("retry")]
    [InlineData("discard")]
    public async Task Missing_upload_is_not_found(string action)
    {
        await using TestApp app = await StartAsync();
        Assert.Equal(UploadActionStatus.NotFound, await ActAsync(app, action, Missing));
        Assert.Null(await Manager(app).GetAsync(Missing));
        Assert.Equal(
            [$"Information ResumableUploads[310] The upload manager was called to {action} upload 01234567: NotFound. "],
            app.Log.Lines.Where(static line => line.Contains("[310]", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("retry")]
    [InlineData("discard")]
    public async Task Receiving_upload_has_the_wrong_state(string action)
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, [1], 2);
        ManagedUpload upload = await SingleAsync(app);
        Assert.Equal(ManagedUploadState.Receiving, upload.State);
        Assert.Equal(UploadActionStatus.InvalidState, await ActAsync(app, action, upload.Key));
        Assert.Equal(1, await app.Client.StatusAsync("f"));
    }

    [Theory]
    [InlineData("retry")]
    [InlineData("discard")]
    public async Task Completed_upload_has_the_wrong_state(string action)
    {
        await using TestApp app = await StartAsync();
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, [1], 1);
        ManagedUpload upload = await SingleAsync(app);
        Assert.Equal(ManagedUploadState.Completed, upload.State);
        Assert.Equal(UploadActionStatus.InvalidState, await ActAsync(app, action, upload.Key));
        Assert.Equal(ManagedUploadState.Completed, (await SingleAsync(app)).State);
    }

    [Theory]
    [InlineData("cancel", UploadActionStatus.Busy)]
    [InlineData("retry", UploadActionStatus.Busy)]
    [InlineData("discard", UploadActionStatus.InvalidState)]
    public async Task Upload_whose_handler_runs_is_not_changed(string action, UploadActionStatus expected)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await StartAsync(options =>
        {
            options.Handler.CompletionTimeout = TimeSpan.FromMilliseconds(1);
            options.OnCompleted = (_, _) =>
            {
                started.TrySetResult();
                return end.Task;
            };
        });
        Task<HttpResponseMessage> append = app.Client.AppendAsync("f", 0, [1], 1);
        try
        {
            await started.Task;
            ManagedUpload upload = await SingleAsync(app);
            Assert.Equal((ManagedUploadState.Received, true), (upload.State, upload.IsHandlerRunning));

            Assert.Equal(expected, await ActAsync(app, action, upload.Key));

            Assert.True((await SingleAsync(app)).IsHandlerRunning);
        }
        finally
        {
            // The app does not stop before its handler.
            end.SetResult();
            (await append).Dispose();
        }
    }

    [Fact]
    public async Task Failed_upload_says_when_its_handler_runs_again()
    {
        await using TestApp app = await StartAsync(static options => options.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure."));
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, [1], 1);
        ManagedUpload upload = await SingleAsync(app);
        Assert.Equal((ManagedUploadState.Failed, 1), (upload.State, upload.HandlerAttempts));
        Assert.True(upload.NextAttempt > upload.LastModified);
        Assert.Equal(UploadActionStatus.InvalidState, await Manager(app).DiscardAsync(upload.Key));
        Assert.Equal(ManagedUploadState.Failed, (await SingleAsync(app)).State);
    }

    [Fact]
    public async Task Dead_lettered_upload_is_retried()
    {
        int runs = 0;
        await using TestApp app = await StartAsync(options =>
        {
            options.Handler.MaxAttempts = 1;
            options.OnCompleted = (_, _) => Interlocked.Increment(ref runs) > 1 ? Task.CompletedTask : throw new InvalidOperationException("Injected failure.");
        });
        (await app.Client.AppendAsync("f", 0, [1, 2], 2)).Dispose();
        ManagedUpload upload = await SingleAsync(app, ManagedUploadState.DeadLettered);
        Assert.Equal((2, false), (upload.Offset, upload.IsClientFault));

        Assert.Equal(UploadActionStatus.Succeeded, await Manager(app).RetryAsync(upload.Key));

        await Eventually.TrueAsync(() => Volatile.Read(ref runs) == 2, "the handler runs again");
        await app.Client.AppendAsync("f", 2, [], 2).ShouldHaveOffsetAsync(2, complete: true);
        Assert.Equal(UploadActionStatus.InvalidState, await Manager(app).RetryAsync(upload.Key));
        Assert.Empty((await Manager(app).ListAsync(new UploadListQuery { State = ManagedUploadState.DeadLettered })).Uploads);
        Assert.Equal(2, app.Log.Lines.Count(static line => line.Contains("[310]", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Dead_lettered_upload_is_discarded()
    {
        await using TestApp app = await StartAsync(DeadLetterAtOnce);
        (await app.Client.AppendAsync("f", 0, [1, 2], 2)).Dispose();
        ManagedUpload upload = await SingleAsync(app, ManagedUploadState.DeadLettered);

        Assert.Equal(UploadActionStatus.Succeeded, await Manager(app).DiscardAsync(upload.Key));

        Assert.Null(await Manager(app).GetAsync(upload.Key));
        Assert.Equal(0, await app.Client.StatusAsync("f"));
    }

    [Theory]
    [InlineData(null, UploadActionStatus.Succeeded)]
    [InlineData("MemoryUploadStore", UploadActionStatus.Succeeded)]
    [InlineData("MemoryUploadStore 2", UploadActionStatus.NotFound)]
    public async Task Action_affects_only_the_named_store(string? store, UploadActionStatus expected)
    {
        await using TestApp app = await StartAsync(static options => options.Store = new MemoryUploadStore());
        (await app.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        ManagedUpload upload = await SingleAsync(app);
        Assert.Equal(expected, await Manager(app).CancelAsync(upload.Key, new UploadActionCondition { Store = store }));
        Assert.Equal(expected == UploadActionStatus.Succeeded, await Manager(app).GetAsync(upload.Key) is null);
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("retry")]
    [InlineData("discard")]
    public async Task Upload_that_was_created_at_another_time_is_not_found(string action)
    {
        await using TestApp app = await StartAsync(DeadLetterAtOnce);
        (await app.Client.AppendAsync("f", 0, [1], 1)).Dispose();
        ManagedUpload upload = await SingleAsync(app, ManagedUploadState.DeadLettered);
        UploadActionCondition seen = UploadActionCondition.Unchanged(upload) with { Created = upload.Created.AddMilliseconds(-1) };
        Assert.Equal(UploadActionStatus.NotFound, await ActAsync(app, action, upload.Key, seen));
        await SingleAsync(app, ManagedUploadState.DeadLettered);
        Assert.Equal(UploadActionStatus.Succeeded, await ActAsync(app, action, upload.Key, UploadActionCondition.Unchanged(upload)));
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("retry")]
    [InlineData("discard")]
    public async Task Upload_in_another_state_than_that_of_the_condition_is_not_changed(string action)
    {
        await using TestApp app = await StartAsync(DeadLetterAtOnce);
        (await app.Client.AppendAsync("f", 0, [1], 1)).Dispose();
        ManagedUpload upload = await SingleAsync(app, ManagedUploadState.DeadLettered);
        Assert.Equal(UploadActionStatus.InvalidState, await ActAsync(app, action, upload.Key, new UploadActionCondition { State = ManagedUploadState.Receiving }));
        await SingleAsync(app, ManagedUploadState.DeadLettered);
    }

    [Fact]
    public async Task Cancel_of_listed_upload_keeps_it_if_its_handler_succeeds_meanwhile()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await StartAsync(options => options.OnCompleted = (_, _) =>
        {
            started.TrySetResult();
            return end.Task;
        });
        Task<HttpResponseMessage> append = app.Client.AppendAsync("f", 0, [1], 1);
        await started.Task;
        ManagedUpload upload = await SingleAsync(app);
        Task<UploadActionStatus> cancel = Manager(app).CancelAsync(upload.Key, UploadActionCondition.Unchanged(upload));
        end.SetResult();
        Assert.Equal(UploadActionStatus.InvalidState, await cancel);
        (await append).Dispose();
        Assert.Equal(ManagedUploadState.Completed, (await SingleAsync(app)).State);
    }

    [Fact]
    public async Task Limit_of_attempts_does_not_apply_to_uploads_of_another_app()
    {
        using var store = new MemoryUploadStore();
        await using TestApp other = await StartAsync(options =>
        {
            options.Store = new SharedStore(store);
            options.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        });
        (await other.Client.AppendAsync("f", 0, [1], 1)).Dispose();
        await using TestApp app = await StartAsync(options =>
        {
            options.Store = new SharedStore(store);
            options.UploadPath = "/other";
            options.Handler.MaxAttempts = 1;
        });
        ManagedUpload upload = await SingleAsync(app);
        Assert.Equal((ManagedUploadState.Failed, 1), (upload.State, upload.HandlerAttempts));
        Assert.Equal(UploadActionStatus.InvalidState, await Manager(app).DiscardAsync(upload.Key));
        await SingleAsync(other, ManagedUploadState.Failed);
    }

    [Fact]
    public async Task Failure_of_the_store_throws()
    {
        var store = new FailingDeleteStore();
        await using TestApp app = await StartAsync(options => options.Store = store);
        (await app.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        ManagedUpload upload = await SingleAsync(app);
        UploadStoreException e = await Assert.ThrowsAsync<UploadStoreException>(() => Manager(app).CancelAsync(upload.Key));
        Assert.Equal(StoreFailure.Unavailable, e.Failure);
        Assert.Contains(app.Log.Lines, static line => line.Contains("[310]", StringComparison.Ordinal) && line.Contains(": Failed.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Log_contains_no_text_of_a_client_and_no_whole_key()
    {
        await using TestApp app = await StartAsync();
        (await app.Client.AppendAsync("f", 0, [1], 2, ("X-File-Name", "secret.txt"))).Dispose();
        ManagedUpload upload = await SingleAsync(app);
        Assert.Equal("secret.txt", upload.FileName);
        await Manager(app).CancelAsync(upload.Key);
        string line = Assert.Single(app.Log.Lines, static line => line.Contains("[310]", StringComparison.Ordinal));
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
        Assert.DoesNotContain(upload.Key.Id, line, StringComparison.Ordinal);
        Assert.DoesNotContain(app.Log.Lines, static line => line.Contains("[205]", StringComparison.Ordinal));
    }

    private static void DeadLetterAtOnce(ResumableUploadOptions options)
    {
        options.Handler.MaxAttempts = 1;
        options.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
    }

    private static IUploadManager Manager(TestApp app) => app.Services.GetRequiredService<IUploadManager>();

    private static Task<UploadActionStatus> ActAsync(TestApp app, string action, UploadKey key, UploadActionCondition? condition = null) => action switch
    {
        "cancel" => Manager(app).CancelAsync(key, condition),
        "retry" => Manager(app).RetryAsync(key, condition),
        _ => Manager(app).DiscardAsync(key, condition),
    };

    private static async Task<ManagedUpload> SingleAsync(TestApp app, ManagedUploadState? state = null) =>
        Assert.Single((await Manager(app).ListAsync(new UploadListQuery { State = state })).Uploads);

    private static Task<TestApp> StartAsync(Action<ResumableUploadOptions>? configure = null) =>
        TestApp.StartAsync(configure, static builder => builder.Services.AddResumableUploads(), onTestHost: true);

    /// <summary>A store that two apps share, as if each had opened it.</summary>
    private sealed class SharedStore(IUploadStore store) : DelegatingUploadStore(store);

    /// <summary>A store that cannot delete uploads.</summary>
    private sealed class FailingDeleteStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
            throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.");
    }
}

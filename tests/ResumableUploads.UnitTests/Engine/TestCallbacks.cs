using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.UnitTests.Engine;

/// <summary>The application of an engine under test. Every event does nothing unless the test sets it.</summary>
internal sealed class TestCallbacks : IUploadCallbacks
{
    public bool HasCompletionHandler => OnCompleted is not null;

    public bool HasProgressHandler => OnProgress is not null;

    public Func<CancellationToken, Task<CreationDecision>>? OnCreating { get; set; }

    public Func<long, CancellationToken, Task>? OnProgress { get; set; }

    public Func<EngineRecord, CancellationToken, Task<HandlerResult>>? OnCompleted { get; set; }

    public Func<UploadInfo, CancellationToken, Task>? OnDeadLettered { get; set; }

    public Func<UploadInfo, CancellationToken, Task>? OnExpired { get; set; }

    public IUploadCallbacks ForOtherUpload() => this;

    public async ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken) =>
        OnCreating is { } handler ? await handler(cancellationToken) : default;

    public async ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken) =>
        await OnProgress!(offset, cancellationToken);

    public async ValueTask<HandlerResult> RunHandlerAsync(
        UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        await OnCompleted!(record, cancellationToken);

    public async ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        await (OnDeadLettered?.Invoke(info, cancellationToken) ?? Task.CompletedTask);

    public async ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        await (OnExpired?.Invoke(info, cancellationToken) ?? Task.CompletedTask);
}

using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.UnitTests.Engine.Interleavings;

/// <summary>An engine with its application and its clients. Two of them on one store are two processes.</summary>
internal sealed class ScheduledProcess : IUploadCallbacks
{
    private static readonly UploadMetrics Metrics = new(null);
    private readonly YieldingStore _store;
    private readonly TimeProvider _clock;

    public ScheduledProcess(YieldingStore store, TimeProvider clock, EngineSettings? settings = null)
    {
        _store = store;
        _clock = clock;
        Engine = new UploadEngine(store, settings ?? Settings, Metrics, new UploadLockTable(clock), new OwnerUsageTable(), clock, NullLogger.Instance);
    }

    /// <summary>Gets settings with short times, so that a scenario has few timers.</summary>
    public static EngineSettings Settings { get; } = TestSettings.Default with
    {
        HandlerLeaseDuration = TimeSpan.FromSeconds(0.9),
        CompletionTimeout = TimeSpan.FromSeconds(0.5),
    };

    public UploadEngine Engine { get; }

    /// <summary>Gets or sets the completion handler, which returns whether it has succeeded. Null if there is none.</summary>
    public Func<UploadKey, Task<bool>>? OnCompleted { get; init; }

    /// <summary>Gets or sets the event that decides whether an upload is rejected.</summary>
    public Func<UploadKey, bool> IsRejected { get; init; } = static _ => false;

    public bool HasCompletionHandler => OnCompleted is not null;

    public bool HasProgressHandler => false;

    public static UploadKey KeyOf(string id) => new("owner", id);

    public static PipeReader BodyOf(byte[] bytes) => PipeReader.Create(new ReadOnlySequence<byte>(bytes));

    public Task<UploadResult> AppendAsync(
        UploadKey key, long offset, PipeReader body, long? bodyLength, long? length, ConcatenationInfo? concatenation = null) =>
        Engine.AppendAsync(
            new AppendCommand
            {
                Key = key,
                Offset = offset,
                Body = body,
                BodyLength = bodyLength,
                UploadLength = length,
                CompletionRule = concatenation is null ? CompletionRule.AtLength : CompletionRule.Never,
                CreateIfMissing = new CreateCommand("test", "name", null) { Concatenation = concatenation },
            },
            this,
            CancellationToken.None).AsTask();

    /// <summary>Sends the content like a client that asks for the offset after each response that is not the last one.</summary>
    /// <returns>The last result.</returns>
    public async Task<UploadResult> SendAsync(UploadKey key, byte[] content)
    {
        UploadResult result = new(UploadResultKind.NotFound);
        for (int i = 0; i < 20; i++)
        {
            long offset = (await Engine.GetStatusAsync(key, isClientGeneratedKey: true, null, CancellationToken.None))?.Offset ?? 0;
            result = await AppendAsync(key, offset, BodyOf(content[(int)offset..]), content.Length - offset, content.Length);
            if (result.Kind is UploadResultKind.Completed or UploadResultKind.Replayed)
            {
                return result;
            }

            await PauseAsync(result);
        }

        return result;
    }

    public Task CancelAsync(UploadKey key) => Engine.CancelAsync(key, default, CancellationToken.None).AsTask();

    /// <summary>Visits all uploads as a sweep does.</summary>
    public async Task SweepAsync()
    {
        await foreach (UploadInfo info in _store.ListAsync(new UploadQuery(), CancellationToken.None))
        {
            await VisitAsync(info);
        }
    }

    public async Task VisitAsync(UploadInfo info) => await Engine.CreateSweepVisitor(this).VisitAsync(info, CancellationToken.None);

    public IUploadCallbacks ForOtherUpload() => this;

    public async ValueTask<CreationDecision> OnCreatingAsync(UploadKey key, CreateCommand createCommand, long? length, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return IsRejected(key) ? new CreationDecision(new Rejection(422, "Rejected by the test."), null) : default;
    }

    public ValueTask OnProgressAsync(UploadKey key, EngineRecord record, long offset, long? length, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask<HandlerResult> RunHandlerAsync(
        UploadInfo info, EngineRecord record, CancellationToken cancellationToken) =>
        new(await OnCompleted!(info.Key) ? HandlerResultKind.Final : HandlerResultKind.Retry, new byte[] { 1 });

    public ValueTask OnDeadLetteredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask OnExpiredAsync(UploadInfo info, EngineRecord record, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>Waits as long as a client would before its next request.</summary>
    private Task PauseAsync(UploadResult result) => result.Kind is UploadResultKind.OffsetMismatch or UploadResultKind.Preempted
        ? Task.CompletedTask
        : Task.Delay(TimeSpan.FromMilliseconds(500), _clock);
}

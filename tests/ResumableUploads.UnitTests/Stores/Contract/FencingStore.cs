using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.UnitTests.Stores.Contract;

/// <summary>The view that one process has of a shared store, whose appends another process can fence off without asking, like leases that expire.</summary>
internal class FencingStore(IUploadStore sharedStore, ConcurrentDictionary<UploadKey, FencingStore.RunningAppend> appends) : DelegatingUploadStore(sharedStore), ITakeoverStore
{
    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        var passed = new RecordingContent();
        var append = new RunningAppend(passed, base.AppendAsync(key, offset, passed, mode, cancellationToken).AsTask());
        if (!appends.TryAdd(key, append))
        {
            return await append.Result;
        }

        using var late = new MemoryStream();
        for (bool isCompleted = false; !isCompleted;)
        {
            ReadResult read = await content.Reader.ReadAsync(CancellationToken.None);
            byte[] bytes = read.Buffer.ToArray();
            if (!append.TrySend(bytes))
            {
                late.Write(bytes);
            }

            content.Reader.AdvanceTo(read.Buffer.End);
            isCompleted = read.IsCompleted;
        }

        bool isFenced = !append.TryEnd();
        AppendResult result = await append.Result;
        appends.TryRemove(new(key, append));
        return isFenced ? await EndFencedAsync(key, result, late.ToArray()) : result;
    }

    public Task ListenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask<TakeoverStatus> TakeOverAsync(UploadKey key, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!appends.TryGetValue(key, out RunningAppend? append) || !append.TryEnd())
        {
            return TakeoverStatus.NotAppending;
        }

        await append.Result;
        appends.TryRemove(new(key, append));
        return TakeoverStatus.Released;
    }

    protected virtual ValueTask<AppendResult> EndFencedAsync(UploadKey key, AppendResult result, byte[] late) =>
        ValueTask.FromResult(new AppendResult(AppendStatus.TakenOver, result.Offset, null));

    /// <summary>An append whose bytes count until it is ended, by its content or by a takeover.</summary>
    internal sealed class RunningAppend(RecordingContent content, Task<AppendResult> result)
    {
        private readonly Lock _lock = new();
        private bool _hasEnded;

        public Task<AppendResult> Result => result;

        public bool TrySend(byte[] bytes)
        {
            lock (_lock)
            {
                if (!_hasEnded)
                {
                    content.Send(bytes);
                }

                return !_hasEnded;
            }
        }

        public bool TryEnd()
        {
            lock (_lock)
            {
                if (_hasEnded)
                {
                    return false;
                }

                _hasEnded = true;
                content.Complete();
                return true;
            }
        }
    }
}

/// <summary>Appends what arrives after another process has taken over, as a process does that was paused and does not check its lease.</summary>
internal sealed class AppendsAfterTakeover(IUploadStore sharedStore, ConcurrentDictionary<UploadKey, FencingStore.RunningAppend> appends) : FencingStore(sharedStore, appends)
{
    protected override async ValueTask<AppendResult> EndFencedAsync(UploadKey key, AppendResult result, byte[] late) => await InnerStore.AppendAsync(
        key, (await InnerStore.GetAsync(key, CancellationToken.None))!.Offset, RecordingContent.FromBytes(late), AppendMode.KeepPartial, CancellationToken.None);
}

/// <summary>Opens fencing stores on one memory store.</summary>
internal sealed class FencingStorage(bool isBroken = false) : StoreFixture
{
    private readonly ConcurrentDictionary<UploadKey, FencingStore.RunningAppend> _appends = [];
    private MemoryUploadStore? _shared;

    public override ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        _shared ??= new MemoryUploadStore(timeProvider: timeProvider);
        return ValueTask.FromResult<IUploadStore>(isBroken ? new AppendsAfterTakeover(_shared, _appends) : new FencingStore(_shared, _appends));
    }
}

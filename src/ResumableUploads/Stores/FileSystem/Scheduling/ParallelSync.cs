using System.Runtime.ExceptionServices;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>
/// Syncs several files and directories at the same time, so that a step of an operation waits for the disk only once. While syncs are faster than handing
/// them to other threads, they run one after the other.
/// </summary>
internal sealed class ParallelSync(DiskScheduler scheduler, TimeProvider time)
{
    /// <summary>The duration up to which a sync is fast.</summary>
    private static readonly TimeSpan FastSync = TimeSpan.FromMicroseconds(300);

    private volatile bool _isFast;

    /// <summary>Returns when all targets are durable. If a sync fails, throws the first failure in the order of the targets after all syncs have ended.</summary>
    public void Run(FileLayer files, ReadOnlySpan<SyncTarget> targets)
    {
        Exception? failure = null;
        var others = new List<DiskCall<(FileLayer, SyncTarget), bool>>();
        int here = _isFast || !scheduler.HasThreads ? targets.Length : Math.Min(1, targets.Length);
        var lane = new DiskLaneKey(DiskThread.CurrentLane ?? "", DiskLaneKind.Sync);
        foreach (SyncTarget target in targets[here..])
        {
            others.Add(scheduler.Enqueue(lane, (files, target), static s => { s.target.Sync(s.files); return true; }));
        }

        foreach (SyncTarget target in targets[..here])
        {
            long start = time.GetTimestamp();
            Exception? error = TrySync(files, target);
            failure ??= error;
            _isFast = time.GetElapsedTime(start) <= FastSync;
        }

        foreach (DiskCall<(FileLayer, SyncTarget), bool> call in others)
        {
            Exception? error = TryFinish(call);
            failure ??= error;
        }

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static Exception? TrySync(FileLayer files, SyncTarget target)
    {
        try
        {
            target.Sync(files);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    /// <summary>Waits for a call, or runs it here if no thread has begun it, so that threads that wait for one another never stop all of them.</summary>
    private Exception? TryFinish(DiskCall<(FileLayer, SyncTarget), bool> call)
    {
        if (scheduler.TryRemove(call))
        {
            call.Run();
        }

        try
        {
            call.Task.GetAwaiter().GetResult();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}

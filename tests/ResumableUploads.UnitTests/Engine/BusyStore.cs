using ResumableUploads.Abstractions;

namespace ResumableUploads.UnitTests.Engine;

/// <summary>Specifies how the updates of a <see cref="BusyStore"/> fail.</summary>
public enum StoreFault
{
    Busy,
    ThrowsStoreException,
    ThrowsCancellation,
    ThrowsOther,
    Hangs,
}

/// <summary>A store whose updates fail on demand, as seen by one of several processes.</summary>
internal sealed class BusyStore(IUploadStore innerStore) : DelegatingUploadStore(innerStore)
{
    private int _updates;

    /// <summary>Gets or sets how updates fail, or null if they work.</summary>
    public StoreFault? Fault { get; set; }

    /// <summary>Gets the number of updates that failed.</summary>
    public int Updates => Volatile.Read(ref _updates);

    public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        if (Fault is not { } fault)
        {
            return base.UpdateAsync(key, version, record, cancellationToken);
        }

        Interlocked.Increment(ref _updates);
        return fault switch
        {
            StoreFault.Busy => new ValueTask<UpdateResult>(new UpdateResult(ChangeStatus.Busy, null)),
            StoreFault.ThrowsStoreException => throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure."),
            StoreFault.ThrowsCancellation => throw new TaskCanceledException("Injected failure."),
            StoreFault.Hangs => HangAsync(cancellationToken),
            _ => throw new InvalidOperationException("Injected failure."),
        };
    }

    private static async ValueTask<UpdateResult> HangAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw new InvalidOperationException("The token was not canceled.");
    }
}

using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>
/// A store around another one, in which things go wrong where a test says so: to see what an app or a store's own code makes of it.
/// Without a plan it is the store that it is around.
/// </summary>
public sealed class ChaosUploadStore : DelegatingUploadStore
{
    private readonly TimeProvider _timeProvider;
    private readonly List<PlannedFault> _plannedFaults = [];

    /// <summary>Makes a store in which nothing goes wrong yet.</summary>
    /// <param name="innerStore">The store that does the work. It is not disposed with this one.</param>
    /// <param name="timeProvider">The clock for delays, or null for the system's.</param>
    public ChaosUploadStore(IUploadStore innerStore, TimeProvider? timeProvider = null)
        : base(innerStore) =>
        _timeProvider = timeProvider ?? TimeProvider.System;

    /// <summary>Plans a fault. Where several are planned for a call, they come in the order in which they were planned.</summary>
    /// <param name="operation">In which call.</param>
    /// <param name="timing">When.</param>
    /// <param name="fault">What.</param>
    /// <param name="skip">How many such calls go well first.</param>
    /// <param name="times">In how many it goes wrong then.</param>
    /// <exception cref="ArgumentException">A short write is planned for something else than the beginning of an append.</exception>
    public void InjectFault(ChaosOperation operation, ChaosTiming timing, ChaosFault fault, int skip = 0, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        ArgumentOutOfRangeException.ThrowIfNegative(times);
        if (fault.PartialWriteLimit is not null && (operation, timing) != (ChaosOperation.Append, ChaosTiming.BeforeCall))
        {
            throw new ArgumentException("A short write is planned for ChaosStep.Append and ChaosMoment.Before.", nameof(fault));
        }

        lock (_plannedFaults)
        {
            _plannedFaults.Add(new PlannedFault(operation, timing, fault, skip, times));
        }
    }

    /// <summary>Forgets all plans: from now on everything goes well.</summary>
    public void ClearFaults()
    {
        lock (_plannedFaults)
        {
            _plannedFaults.Clear();
        }
    }

    /// <inheritdoc/>
    public override ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        CallAsync(ChaosOperation.Create, () => InnerStore.CreateAsync(key, record, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        CallAsync(ChaosOperation.Get, () => InnerStore.GetAsync(key, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        TruncatedContent? cut = null;
        foreach (ChaosFault fault in TakeDueFaults(ChaosOperation.Append, ChaosTiming.BeforeCall))
        {
            await fault.ApplyAsync(_timeProvider, cancellationToken);
            cut ??= fault.PartialWriteLimit is var (bytes, failure) ? new TruncatedContent(content, bytes, failure) : null;
        }

        AppendResult result = await InnerStore.AppendAsync(key, offset, cut ?? content, mode, cancellationToken);
        if (cut is { WasTruncated: true })
        {
            throw new UploadStoreException(cut.Failure, "A short write that was planned.", result.Offset);
        }

        await ApplyFaultsAsync(ChaosOperation.Append, ChaosTiming.AfterCall, cancellationToken);
        return result;
    }

    /// <inheritdoc/>
    public override ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        CallAsync(ChaosOperation.Update, () => InnerStore.UpdateAsync(key, version, record, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
        CallAsync(ChaosOperation.OpenRead, () => InnerStore.OpenReadAsync(key, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        CallAsync(ChaosOperation.Delete, () => InnerStore.DeleteAsync(key, version, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await ApplyFaultsAsync(ChaosOperation.List, ChaosTiming.BeforeCall, cancellationToken);
        await foreach (UploadInfo info in InnerStore.ListAsync(query, cancellationToken))
        {
            yield return info;
        }

        await ApplyFaultsAsync(ChaosOperation.List, ChaosTiming.AfterCall, cancellationToken);
    }

    /// <inheritdoc/>
    public override async ValueTask PutResponseAsync(UploadKey key, ReadOnlyMemory<byte> response, CancellationToken cancellationToken)
    {
        await ApplyFaultsAsync(ChaosOperation.PutResponse, ChaosTiming.BeforeCall, cancellationToken);
        await InnerStore.PutResponseAsync(key, response, cancellationToken);
        await ApplyFaultsAsync(ChaosOperation.PutResponse, ChaosTiming.AfterCall, cancellationToken);
    }

    /// <inheritdoc/>
    public override ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        CallAsync(ChaosOperation.GetResponse, () => InnerStore.GetResponseAsync(key, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override T? GetCapability<T>() where T : class =>
        typeof(T) == typeof(IContentMover) ? InnerStore.GetCapability<T>() : base.GetCapability<T>();

    private async ValueTask<T> CallAsync<T>(ChaosOperation step, Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        await ApplyFaultsAsync(step, ChaosTiming.BeforeCall, cancellationToken);
        T result = await call();
        await ApplyFaultsAsync(step, ChaosTiming.AfterCall, cancellationToken);
        return result;
    }

    private async Task ApplyFaultsAsync(ChaosOperation step, ChaosTiming moment, CancellationToken cancellationToken)
    {
        foreach (ChaosFault fault in TakeDueFaults(step, moment))
        {
            await fault.ApplyAsync(_timeProvider, cancellationToken);
        }
    }

    private List<ChaosFault> TakeDueFaults(ChaosOperation step, ChaosTiming moment)
    {
        lock (_plannedFaults)
        {
            return [.. _plannedFaults.Where(plan => plan.Operation == step && plan.Timing == moment && plan.ShouldTrigger()).Select(plan => plan.Fault)];
        }
    }
}

/// <summary>A fault that is planned.</summary>
internal sealed class PlannedFault(ChaosOperation step, ChaosTiming moment, ChaosFault fault, int skip, int times)
{
    private long _calls;

    public ChaosOperation Operation => step;

    public ChaosTiming Timing => moment;

    public ChaosFault Fault => fault;

    /// <summary>Counts a call, and tells whether it goes wrong in this one.</summary>
    public bool ShouldTrigger()
    {
        long call = _calls++;
        return call >= skip && call < (long)skip + times;
    }
}

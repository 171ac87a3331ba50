using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>
/// A decorator that injects faults, for tests of how an app handles failures of the storage. Without injected faults it only forwards.
/// </summary>
/// <remarks><see cref="ISingleRequestStore"/> is hidden, so that every upload passes through the methods into which faults are injected.</remarks>
public sealed class ChaosUploadStore : DelegatingUploadStore
{
    private readonly TimeProvider _timeProvider;
    private readonly List<PlannedFault> _plannedFaults = [];

    /// <summary>Initializes a new instance of the <see cref="ChaosUploadStore"/> class without faults.</summary>
    /// <param name="innerStore">The store that does the work. It is not disposed with the decorator.</param>
    /// <param name="timeProvider">The clock for delays, or <see langword="null"/> for the system clock.</param>
    /// <exception cref="ArgumentNullException"><paramref name="innerStore"/> is <see langword="null"/>.</exception>
    public ChaosUploadStore(IUploadStore innerStore, TimeProvider? timeProvider = null)
        : base(innerStore) =>
        _timeProvider = timeProvider ?? TimeProvider.System;

    /// <summary>Injects a fault into future calls. Several faults in one call happen in the order in which they were injected.</summary>
    /// <param name="operation">The method that fails.</param>
    /// <param name="timing">When the fault happens in the call.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="skip">The number of calls that succeed first.</param>
    /// <param name="times">The number of calls that fail then.</param>
    /// <exception cref="ArgumentNullException"><paramref name="fault"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="skip"/> or <paramref name="times"/> is negative.</exception>
    /// <exception cref="ArgumentException">
    /// A partial write is injected elsewhere than into <see cref="ChaosOperation.Append"/> with <see cref="ChaosTiming.BeforeCall"/>.
    /// </exception>
    public void InjectFault(ChaosOperation operation, ChaosTiming timing, ChaosFault fault, int skip = 0, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        ArgumentOutOfRangeException.ThrowIfNegative(times);
        if (fault.PartialWriteLimit is not null && (operation, timing) != (ChaosOperation.Append, ChaosTiming.BeforeCall))
        {
            throw new ArgumentException("A partial write requires ChaosOperation.Append and ChaosTiming.BeforeCall.", nameof(fault));
        }

        lock (_plannedFaults)
        {
            _plannedFaults.Add(new PlannedFault(operation, timing, fault, skip, times));
        }
    }

    /// <summary>Removes all faults that have not happened yet.</summary>
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
        TruncatedContent? truncated = null;
        foreach (ChaosFault fault in TakeDueFaults(ChaosOperation.Append, ChaosTiming.BeforeCall))
        {
            await fault.ApplyAsync(_timeProvider, cancellationToken);
            truncated ??= fault.PartialWriteLimit is var (bytes, failure) ? new TruncatedContent(content, bytes, failure) : null;
        }

        AppendResult result = await base.AppendAsync(key, offset, truncated ?? content, mode, cancellationToken);
        if (truncated is { WasTruncated: true })
        {
            throw new UploadStoreException(truncated.Failure, "Injected partial write.", result.Offset);
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
    public override ValueTask<UpdateResult> CompleteAsync(
        UploadKey key, string version, UploadRecord record, ReadOnlyMemory<byte> response, CancellationToken cancellationToken) =>
        CallAsync(ChaosOperation.Complete, () => InnerStore.CompleteAsync(key, version, record, response, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<ReadOnlyMemory<byte>?> GetResponseAsync(UploadKey key, CancellationToken cancellationToken) =>
        CallAsync(ChaosOperation.GetResponse, () => InnerStore.GetResponseAsync(key, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override T? GetCapability<T>() where T : class =>
        typeof(T) == typeof(IContentMover) || typeof(T) == typeof(IReplacingStore) ? InnerStore.GetCapability<T>() : base.GetCapability<T>();

    private async ValueTask<T> CallAsync<T>(ChaosOperation operation, Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        await ApplyFaultsAsync(operation, ChaosTiming.BeforeCall, cancellationToken);
        T result = await call();
        await ApplyFaultsAsync(operation, ChaosTiming.AfterCall, cancellationToken);
        return result;
    }

    private async Task ApplyFaultsAsync(ChaosOperation operation, ChaosTiming timing, CancellationToken cancellationToken)
    {
        foreach (ChaosFault fault in TakeDueFaults(operation, timing))
        {
            await fault.ApplyAsync(_timeProvider, cancellationToken);
        }
    }

    private List<ChaosFault> TakeDueFaults(ChaosOperation operation, ChaosTiming timing)
    {
        lock (_plannedFaults)
        {
            return [.. _plannedFaults.Where(plan => plan.Operation == operation && plan.Timing == timing && plan.ShouldTrigger()).Select(plan => plan.Fault)];
        }
    }
}

internal sealed class PlannedFault(ChaosOperation operation, ChaosTiming timing, ChaosFault fault, int skip, int times)
{
    private long _calls;

    public ChaosOperation Operation => operation;

    public ChaosTiming Timing => timing;

    public ChaosFault Fault => fault;

    /// <summary>Counts a call and returns whether the fault happens in it.</summary>
    public bool ShouldTrigger()
    {
        long call = _calls++;
        return call >= skip && call < (long)skip + times;
    }
}

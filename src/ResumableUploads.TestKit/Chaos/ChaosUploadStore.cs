using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>
/// A store around another one, in which things go wrong where a test says so: to see what an app or a store's own code makes of it.
/// Without a plan it is the store that it is around.
/// </summary>
public sealed class ChaosUploadStore : IUploadStore
{
    private readonly IUploadStore _inner;
    private readonly TimeProvider _clock;
    private readonly List<Plan> _plans = [];

    /// <summary>Makes a store in which nothing goes wrong yet.</summary>
    /// <param name="inner">The store that does the work. It is not disposed with this one.</param>
    /// <param name="clock">The clock for delays, or null for the system's.</param>
    public ChaosUploadStore(IUploadStore inner, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        _inner = inner;
        _clock = clock ?? TimeProvider.System;
    }

    /// <summary>Plans a fault. Where several are planned for a call, they come in the order in which they were planned.</summary>
    /// <param name="step">In which call.</param>
    /// <param name="moment">When.</param>
    /// <param name="fault">What.</param>
    /// <param name="skip">How many such calls go well first.</param>
    /// <param name="times">In how many it goes wrong then.</param>
    /// <exception cref="ArgumentException">A short write is planned for something else than the beginning of an append.</exception>
    public void Plan(ChaosStep step, ChaosMoment moment, ChaosFault fault, int skip = 0, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        ArgumentOutOfRangeException.ThrowIfNegative(times);
        if (fault.ShortWrite is not null && (step, moment) != (ChaosStep.Append, ChaosMoment.Before))
        {
            throw new ArgumentException("A short write is planned for ChaosStep.Append and ChaosMoment.Before.", nameof(fault));
        }

        lock (_plans)
        {
            _plans.Add(new Plan(step, moment, fault, skip, times));
        }
    }

    /// <summary>Forgets all plans: from now on everything goes well.</summary>
    public void Clear()
    {
        lock (_plans)
        {
            _plans.Clear();
        }
    }

    /// <inheritdoc/>
    public ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken) =>
        CallAsync(ChaosStep.Create, () => _inner.CreateAsync(key, record, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) =>
        CallAsync(ChaosStep.Get, () => _inner.GetAsync(key, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<AppendResult> AppendAsync(
        UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        ShortContent? cut = null;
        foreach (ChaosFault fault in Take(ChaosStep.Append, ChaosMoment.Before))
        {
            await fault.ComeAsync(_clock, cancellationToken);
            cut ??= fault.ShortWrite is var (bytes, failure) ? new ShortContent(content, bytes, failure) : null;
        }

        AppendResult result = await _inner.AppendAsync(key, offset, cut ?? content, mode, cancellationToken);
        if (cut is { WasCut: true })
        {
            throw new UploadStoreException(cut.Failure, "A short write that was planned.", result.Offset);
        }

        await ComeAsync(ChaosStep.Append, ChaosMoment.After, cancellationToken);
        return result;
    }

    /// <inheritdoc/>
    public ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken) =>
        CallAsync(ChaosStep.Update, () => _inner.UpdateAsync(key, version, record, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) =>
        CallAsync(ChaosStep.OpenRead, () => _inner.OpenReadAsync(key, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken) =>
        CallAsync(ChaosStep.Delete, () => _inner.DeleteAsync(key, version, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await ComeAsync(ChaosStep.List, ChaosMoment.Before, cancellationToken);
        await foreach (UploadInfo info in _inner.ListAsync(query, cancellationToken))
        {
            yield return info;
        }

        await ComeAsync(ChaosStep.List, ChaosMoment.After, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask PutOutcomeAsync(UploadKey key, ReadOnlyMemory<byte> outcome, CancellationToken cancellationToken)
    {
        await ComeAsync(ChaosStep.PutOutcome, ChaosMoment.Before, cancellationToken);
        await _inner.PutOutcomeAsync(key, outcome, cancellationToken);
        await ComeAsync(ChaosStep.PutOutcome, ChaosMoment.After, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> GetOutcomeAsync(UploadKey key, CancellationToken cancellationToken) =>
        CallAsync(ChaosStep.GetOutcome, () => _inner.GetOutcomeAsync(key, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public T? GetCapability<T>() where T : class => _inner.GetCapability<T>();

    private async ValueTask<T> CallAsync<T>(ChaosStep step, Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        await ComeAsync(step, ChaosMoment.Before, cancellationToken);
        T result = await call();
        await ComeAsync(step, ChaosMoment.After, cancellationToken);
        return result;
    }

    private async Task ComeAsync(ChaosStep step, ChaosMoment moment, CancellationToken cancellationToken)
    {
        foreach (ChaosFault fault in Take(step, moment))
        {
            await fault.ComeAsync(_clock, cancellationToken);
        }
    }

    private List<ChaosFault> Take(ChaosStep step, ChaosMoment moment)
    {
        lock (_plans)
        {
            return [.. _plans.Where(plan => plan.Step == step && plan.Moment == moment && plan.IsDue()).Select(plan => plan.Fault)];
        }
    }
}

/// <summary>A fault that is planned.</summary>
internal sealed class Plan(ChaosStep step, ChaosMoment moment, ChaosFault fault, int skip, int times)
{
    private long _calls;

    public ChaosStep Step => step;

    public ChaosMoment Moment => moment;

    public ChaosFault Fault => fault;

    /// <summary>Counts a call, and tells whether it goes wrong in this one.</summary>
    public bool IsDue()
    {
        long call = _calls++;
        return call >= skip && call < (long)skip + times;
    }
}

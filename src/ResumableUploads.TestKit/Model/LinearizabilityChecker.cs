namespace ResumableUploads.TestKit.Model;

/// <summary>
/// Checks whether concurrent calls are linearizable: whether there is an order in which sequential calls would have had the same results, and in which no
/// call precedes one that had returned before it was made.
/// </summary>
/// <param name="calls">All calls, at most 60.</param>
internal sealed class LinearizabilityChecker(IReadOnlyList<ConcurrentCall> calls)
{
    private readonly HashSet<(ulong Done, ObservedUpload? Upload)> _visited = [];

    /// <summary>Returns whether there is such an order, for an upload that does not exist at first.</summary>
    public bool IsLinearizable() =>
        calls.All(call => !call.IsBusy || calls.Any(other => other != call && other.Overlaps(call))) && IsLinearizable(0, null);

    private bool IsLinearizable(ulong done, ObservedUpload? upload)
    {
        if (done == (1UL << calls.Count) - 1)
        {
            return true;
        }

        if (!_visited.Add((done, upload)))
        {
            return false;
        }

        long firstReturn = GetPendingCalls(done).Min(i => calls[i].ReturnedAt);
        return GetPendingCalls(done)
            .Where(i => calls[i].InvokedAt < firstReturn)
            .Any(i => calls[i].NextStates(upload).Any(next => IsLinearizable(done | (1UL << i), next)));
    }

    private IEnumerable<int> GetPendingCalls(ulong done) => Enumerable.Range(0, calls.Count).Where(i => (done & (1UL << i)) == 0);
}

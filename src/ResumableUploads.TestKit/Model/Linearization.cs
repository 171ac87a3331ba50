namespace ResumableUploads.TestKit.Model;

/// <summary>
/// Looks for an order of the calls in which each answer is the one that it would have been if they had come one after the other, and in which
/// no call comes before one that had returned when it was made. With one, nobody can tell the store from one that does a thing at a time.
/// </summary>
/// <param name="calls">All calls, at most 60.</param>
internal sealed class Linearization(IReadOnlyList<ConcurrentCall> calls)
{
    private readonly HashSet<(ulong Done, SeenUpload? Upload)> _tried = [];

    /// <summary>Whether there is such an order for an upload that is not there at the beginning.</summary>
    public bool Exists() =>
        calls.All(call => !call.IsBusy || calls.Any(other => other != call && other.Overlaps(call))) && Exists(0, null);

    private bool Exists(ulong done, SeenUpload? upload)
    {
        if (done == (1UL << calls.Count) - 1)
        {
            return true;
        }

        if (!_tried.Add((done, upload)))
        {
            return false;
        }

        long firstReturn = Open(done).Min(i => calls[i].Returned);
        return Open(done)
            .Where(i => calls[i].Called < firstReturn)
            .Any(i => calls[i].Effects(upload).Any(next => Exists(done | (1UL << i), next)));
    }

    private IEnumerable<int> Open(ulong done) => Enumerable.Range(0, calls.Count).Where(i => (done & (1UL << i)) == 0);
}

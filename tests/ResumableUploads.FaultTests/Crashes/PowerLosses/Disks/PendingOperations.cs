namespace ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

/// <summary>
/// The operations at the beginning of a log that no sync has made durable yet. A file becomes durable by its own sync, unless an
/// earlier sync of the same bytes failed, and names by the sync of their directory. The names of one directory change in order, as in a journal, so a durable change makes the ones before it durable, too.
/// </summary>
internal sealed class PendingOperations
{
    private readonly IReadOnlyList<DiskOperation> _log;
    private readonly Dictionary<int, List<int>> _entriesOf = [];

    public PendingOperations(IReadOnlyList<DiskOperation> log, int prefix)
    {
        _log = log;
        Prefix = prefix;
        var pending = new SortedSet<int>();
        var dataOf = new Dictionary<int, List<int>>();
        for (int i = 0; i < prefix; i++)
        {
            switch (log[i])
            {
                case DataOperation data:
                    ListOf(dataOf, data.Inode).Add(i);
                    pending.Add(i);
                    break;
                case FileSynced synced:
                    pending.ExceptWith(ListOf(dataOf, synced.Inode));
                    dataOf.Remove(synced.Inode);
                    break;
                case SyncFailed failed:
                    ListOf(dataOf, failed.Inode).RemoveAll(index => log[index] is Written);
                    break;
                case EntryOperation entry:
                    foreach (int directory in entry.Directories)
                    {
                        ListOf(_entriesOf, directory).Add(i);
                    }

                    pending.Add(i);
                    break;
                case DirectorySynced synced when ListOf(_entriesOf, synced.Inode) is [.., var last]:
                    pending.ExceptWith(With(last, pending.Contains));
                    break;
            }
        }

        Indices = [.. pending];
    }

    /// <summary>Gets the number of log entries before the crash.</summary>
    public int Prefix { get; }

    /// <summary>Gets the indices of the pending operations in the log, in order.</summary>
    public int[] Indices { get; }

    /// <summary>Returns the pending operations that are on the disk if this one is: itself and everything that must precede it.</summary>
    public HashSet<int> With(int index) => With(index, new HashSet<int>(Indices).Contains);

    private static List<int> ListOf(Dictionary<int, List<int>> lists, int inode)
    {
        if (!lists.TryGetValue(inode, out List<int>? list))
        {
            lists.Add(inode, list = []);
        }

        return list;
    }

    private HashSet<int> With(int index, Func<int, bool> isPending)
    {
        var found = new HashSet<int>();
        var open = new Stack<int>([index]);
        while (open.TryPop(out int next))
        {
            if (!isPending(next) || !found.Add(next) || _log[next] is not EntryOperation entry)
            {
                continue;
            }

            foreach (int directory in entry.Directories)
            {
                foreach (int before in _entriesOf[directory].TakeWhile(before => before < next))
                {
                    open.Push(before);
                }
            }
        }

        return found;
    }
}

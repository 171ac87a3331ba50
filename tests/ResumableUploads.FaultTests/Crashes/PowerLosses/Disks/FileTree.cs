namespace ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

/// <summary>The directory tree of a disk: the number behind each name.</summary>
internal sealed class FileTree
{
    /// <summary>The root directory, which always exists.</summary>
    public const int Root = 0;

    private readonly Dictionary<int, SortedDictionary<string, int>> _directories = new() { [Root] = NewDirectory() };

    public bool IsDirectory(int inode) => _directories.ContainsKey(inode);

    public string[] Names(int directory) => [.. _directories[directory].Keys];

    public int Child(int directory, string name) => _directories[directory][name];

    public int Find(string[] path) => path.Aggregate(Root, Child);

    public void Apply(EntryOperation operation)
    {
        switch (operation)
        {
            case Created created:
                Entries(created.Directory).Add(created.Name, created.Inode);
                if (created.IsDirectory)
                {
                    Entries(created.Inode);
                }

                break;
            case Removed removed:
                Entries(removed.Directory).Remove(removed.Name);
                break;
            case Renamed renamed:
                Entries(renamed.From).Remove(renamed.FromName, out int inode);
                Entries(renamed.To)[renamed.ToName] = inode;
                break;
            case Exchanged exchanged:
                SortedDictionary<string, int> entries = Entries(exchanged.Directory);
                (entries[exchanged.First], entries[exchanged.Second]) = (entries[exchanged.Second], entries[exchanged.First]);
                break;
            default:
                throw new InvalidOperationException($"{operation} is not known.");
        }
    }

    // A directory may have durable entries before its own name is durable.
    private SortedDictionary<string, int> Entries(int directory)
    {
        if (!_directories.TryGetValue(directory, out SortedDictionary<string, int>? entries))
        {
            _directories.Add(directory, entries = NewDirectory());
        }

        return entries;
    }

    private static SortedDictionary<string, int> NewDirectory() => new(StringComparer.Ordinal);
}

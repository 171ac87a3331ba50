using System.Text.RegularExpressions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;
using ResumableUploads.Stores.FileSystem.Format;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.CrashTables;

/// <summary>
/// Describes the entries of a log, in order, by the names of the files. What differs from run to run is replaced: NONCE is the upload's nonce, RANDOM
/// another random name.
/// </summary>
internal sealed partial class DiskOperationFormatter(IReadOnlyList<DiskOperation> log)
{
    private readonly Dictionary<int, (int Directory, string Name)> _names = [];
    private readonly HashSet<int> _directories = [FileTree.Root];
    private readonly string _nonce = log.OfType<Created>().Select(static created => created.Name).First(static name => name.EndsWith(".data", StringComparison.Ordinal))[..^5];

    public string Format(DiskOperation operation)
    {
        switch (operation)
        {
            case Created created:
                _names[created.Inode] = (created.Directory, created.Name);
                if (created.IsDirectory)
                {
                    _directories.Add(created.Inode);
                }

                return $"create {GetName(created.Inode)}";
            case Removed removed:
                return $"remove {GetName(Find(removed.Directory, removed.Name))}";
            case Renamed renamed:
                int inode = Find(renamed.From, renamed.FromName);
                string before = GetName(inode);
                _names[inode] = (renamed.To, renamed.ToName);
                return $"rename {before} to {GetName(inode)}";
            case Exchanged exchanged:
                int first = Find(exchanged.Directory, exchanged.First);
                int second = Find(exchanged.Directory, exchanged.Second);
                (_names[first], _names[second]) = (_names[second], _names[first]);
                return $"exchange {GetName(second)} and {GetName(first)}";
            case Written written:
                return $"write {GetName(written.Inode)}{DescribeRange(written)}";
            case Truncated truncated:
                return $"truncate {GetName(truncated.Inode)} to {truncated.Length}";
            case FileSynced synced:
                return $"sync {GetName(synced.Inode)}";
            case DirectorySynced synced:
                return synced.Inode == FileTree.Root ? "sync the directory of target" : $"sync directory {GetName(synced.Inode)}";
            default:
                throw new InvalidOperationException($"{operation} is not known.");
        }
    }

    private string DescribeRange(Written written)
    {
        string name = GetName(written.Inode);
        int slot = written.Offset / DurableOffsetFile.SlotSize;
        return name.EndsWith(".data", StringComparison.Ordinal) || name.EndsWith(".part", StringComparison.Ordinal)
                ? $", bytes {written.Offset} to {written.Offset + written.Bytes.Length - 1}"
            : !name.EndsWith(".mark", StringComparison.Ordinal) ? ""
            : written.Bytes.Length == 2 * DurableOffsetFile.SlotSize ? ", two blank slots"
            : written.Offset % DurableOffsetFile.SlotSize == 0 ? $", slot {slot}"
            : $", confirmation of slot {slot}";
    }

    private int Find(int directory, string name) => _names.Last(entry => entry.Value == (directory, name)).Key;

    /// <summary>The path; of a file of the upload its name alone.</summary>
    private string GetName(int inode)
    {
        string path = GetPath(inode);
        return _directories.Contains(inode) ? path + "/" : UploadFile().Replace(path, "");
    }

    private string GetPath(int inode)
    {
        string path = "";
        for (int at = inode; at != FileTree.Root; at = _names[at].Directory)
        {
            path = path.Length == 0 ? _names[at].Name : $"{_names[at].Name}/{path}";
        }

        path = path.Replace(_nonce, "NONCE", StringComparison.Ordinal);
        path = RandomName().Replace(StoreRoot().Replace(path, ""), "RANDOM");
        path = CreationDirectory().Replace(path, "temp/N");
        path = DetachedDirectory().Replace(path, "temp/OWNER.NEW.RANDOM-GENERATION");
        return path
            .Replace("owner.upload-1.", "OWNER.ID.", StringComparison.Ordinal)
            .Replace("uploads/owner/up/upload-1", "uploads/OWNER/SHARD/ID", StringComparison.Ordinal)
            .Replace("uploads/owner/up/upload-2", "uploads/OWNER/SHARD/NEW", StringComparison.Ordinal)
            .Replace("uploads/owner/up", "uploads/OWNER/SHARD", StringComparison.Ordinal)
            .Replace("uploads/owner", "uploads/OWNER", StringComparison.Ordinal);
    }

    [GeneratedRegex("^store/")]
    private static partial Regex StoreRoot();

    [GeneratedRegex("[0-9a-f]{32}")]
    private static partial Regex RandomName();

    [GeneratedRegex("^temp/[0-9a-f](?=/|$)")]
    private static partial Regex CreationDirectory();

    [GeneratedRegex(@"^temp/owner\.upload-2\.RANDOM-[0-9]+")]
    private static partial Regex DetachedDirectory();

    [GeneratedRegex("^(temp/N/NONCE|temp/OWNER.NEW.RANDOM-GENERATION|uploads/OWNER/SHARD/ID|trash/RANDOM)/")]
    private static partial Regex UploadFile();
}

using System.Buffers;
using System.Runtime.CompilerServices;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

/// <summary>
/// A real directory with a log of all changes to it. Existing files are durable at the start. Syncs are only recorded, because the power loss is
/// simulated.
/// </summary>
internal class RecordingFileLayer : DelegatingFileLayer
{
    private readonly string _base;
    private readonly string _boot;
    private readonly Dictionary<OpenFile, int> _open = [];
    private readonly FileTree _tree = new();
    private int _inodes = FileTree.Root;

    public RecordingFileLayer(string directory, string boot)
    {
        _base = directory;
        _boot = boot;
        Take(directory, FileTree.Root);
        Beginning = Log.Count;
    }

    public override string BootId => _boot;

    /// <summary>Gets or sets what chooses the order of syncs at the same time, or null to keep the order.</summary>
    public Random? SyncOrder { get; set; }

    public List<DiskOperation> Log { get; } = [];

    /// <summary>Gets the number of log entries that describe the files at the start.</summary>
    public int Beginning { get; }

    public override void CreateDirectory(string path)
    {
        var missing = new Stack<string>();
        for (string at = path; !DirectoryExists(at); at = Path.GetDirectoryName(at)!)
        {
            missing.Push(at);
        }

        foreach (string directory in missing)
        {
            BeforeStep();
            base.CreateDirectory(directory);
            Add(directory, isDirectory: true);
        }
    }

    public override bool TryCreateDirectory(string path)
    {
        BeforeStep();
        bool isMade = base.TryCreateDirectory(path);
        if (isMade)
        {
            Add(path, isDirectory: true);
        }

        return isMade;
    }

    public override void DeleteFile(string path)
    {
        bool isThere = FileExists(path);
        BeforeStep();
        base.DeleteFile(path);
        if (isThere)
        {
            Remove(path);
        }
    }

    public override void DeleteDirectory(string path, bool recursive)
    {
        if (!recursive)
        {
            BeforeStep();
            base.DeleteDirectory(path, recursive: false);
            Remove(path);
            return;
        }

        foreach (string name in _tree.Names(Find(path)))
        {
            string child = Path.Combine(path, name);
            if (DirectoryExists(child))
            {
                DeleteDirectory(child, recursive: true);
            }
            else
            {
                DeleteFile(child);
            }
        }

        DeleteDirectory(path, recursive: false);
    }

    public override void DeleteEmptyDirectory(string path)
    {
        try
        {
            if (DirectoryExists(path) && !Directory.EnumerateFileSystemEntries(path).Any())
            {
                DeleteDirectory(path, recursive: false);
            }
        }
        catch (IOException)
        {
            // Same as the real layer.
        }
    }

    public override OpenFile OpenRead(string path)
    {
        OpenFile file = base.OpenRead(path);
        _open[file] = Find(path);
        return file;
    }

    public override OpenFile OpenWrite(string path)
    {
        OpenFile file = base.OpenWrite(path);
        _open[file] = Find(path);
        return file;
    }

    public override OpenFile CreateFile(string path)
    {
        BeforeStep();
        OpenFile file = base.CreateFile(path);
        _open[file] = Add(path, isDirectory: false);
        return file;
    }

    public override void Write(OpenFile file, ReadOnlySequence<byte> content, long offset)
    {
        BeforeStep();
        base.Write(file, content, offset);
        Note(new Written(_open[file], (int)offset, content.ToArray()));
    }

    /// <summary>Returns 0, so that the store copies by reading and writing.</summary>
    public override long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count) => 0;

    public override void Truncate(OpenFile file, long length)
    {
        BeforeStep();
        base.Truncate(file, length);
        Note(new Truncated(_open[file], (int)length));
    }

    public override void Sync(OpenFile file)
    {
        try
        {
            BeforeStep();
        }
        catch
        {
            Note(new SyncFailed(_open[file]));
            throw;
        }

        Note(new FileSynced(_open[file]));
    }

    public override void SyncDirectory(string path)
    {
        BeforeStep();
        if (DirectoryExists(path))
        {
            Note(new DirectorySynced(Find(path)));
        }
    }

    /// <summary>Syncs in an order of its own, because syncs at the same time end in any order.</summary>
    public override void SyncAll(ReadOnlySpan<SyncTarget> targets, ParallelSync parallel, FileLayer outer)
    {
        SyncTarget[] order = targets.ToArray();
        SyncOrder?.Shuffle(order);
        foreach (SyncTarget target in order)
        {
            target.Sync(outer);
        }
    }

    /// <summary>Takes the steps of the real layer one by one.</summary>
    public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content)
    {
        byte[]? guard = ReadFile(Path.Combine(replacement.Directory, replacement.GuardName), FileReplacement.GuardPrefixLength);
        if (guard is null || !replacement.IsGuarded(guard))
        {
            return null;
        }

        string from = replacement.TemporaryPath;
        foreach (string name in ((string?[])[replacement.ObsoleteName, replacement.TemporaryName]).OfType<string>())
        {
            string path = Path.Combine(replacement.Directory, name);
            if (FileExists(path))
            {
                DeleteFile(path);
            }
        }

        OpenFile file = CreateFile(from);
        Write(file, content.ToArray(), 0);
        if (replacement.Mode != FileReplacementMode.Unsynced)
        {
            MarkNameUnsynced(file);
        }

        if (replacement.Mode == FileReplacementMode.Exchange && FileExists(replacement.Path))
        {
            ExchangeFiles(from, replacement.Path);
            return new ReplacedFile(file, replacement.Directory, isContentSynced: false, replacement.TemporaryName);
        }

        bool syncFirst = replacement.Mode != FileReplacementMode.Unsynced;
        if (syncFirst)
        {
            SyncReplacement(file);
        }

        RenameFile(from, replacement.Path);
        return new ReplacedFile(file, replacement.Directory, syncFirst, previousName: null);
    }

    public override void ExchangeFiles(string first, string second)
    {
        BeforeStep();
        string other = first + ".exchanged";
        File.Move(second, other);
        File.Move(first, second);
        File.Move(other, first);
        Note(new Exchanged(Find(Path.GetDirectoryName(first)!), Path.GetFileName(first), Path.GetFileName(second)));
    }

    public override void RenameFile(string from, string to)
    {
        BeforeStep();
        base.RenameFile(from, to);
        Move(from, to);
    }

    public override bool RenameFileNoReplace(string from, string to)
    {
        bool renamed = !FileExists(to);
        if (renamed)
        {
            RenameFile(from, to);
        }

        return renamed;
    }

    public override bool RenameDirectory(string from, string to)
    {
        BeforeStep();
        bool renamed = base.RenameDirectory(from, to);
        if (renamed)
        {
            Move(from, to);
        }

        return renamed;
    }

    public void Note(DiskOperation operation)
    {
        Log.Add(operation);
        if (operation is EntryOperation entry)
        {
            _tree.Apply(entry);
        }
    }

    /// <summary>Called before each step. An override may throw, and then nothing is changed.</summary>
    /// <param name="step">The method that takes the step.</param>
    protected virtual void BeforeStep([CallerMemberName] string step = "")
    {
    }

    /// <summary>Called before the file replaces another one.</summary>
    protected virtual void SyncReplacement(OpenFile file) => Sync(file);

    private void Take(string directory, int inode)
    {
        foreach (FileSystemInfo found in new DirectoryInfo(directory).EnumerateFileSystemInfos().OrderBy(static found => found.Name, StringComparer.Ordinal))
        {
            int child = Add(found.FullName, found is DirectoryInfo);
            if (found is DirectoryInfo)
            {
                Take(found.FullName, child);
            }
            else
            {
                Note(new Written(child, 0, File.ReadAllBytes(found.FullName)));
                Note(new FileSynced(child));
            }
        }

        Note(new DirectorySynced(inode));
    }

    private int Add(string path, bool isDirectory)
    {
        Note(new Created(Find(Path.GetDirectoryName(path)!), Path.GetFileName(path), ++_inodes, isDirectory));
        return _inodes;
    }

    private void Remove(string path) => Note(new Removed(Find(Path.GetDirectoryName(path)!), Path.GetFileName(path)));

    private void Move(string from, string to) => Note(new Renamed(
        Find(Path.GetDirectoryName(from)!), Path.GetFileName(from), Find(Path.GetDirectoryName(to)!), Path.GetFileName(to)));

    private int Find(string path)
    {
        string relative = Path.GetRelativePath(_base, path);
        return relative == "." ? FileTree.Root : _tree.Find(relative.Split(Path.DirectorySeparatorChar));
    }
}

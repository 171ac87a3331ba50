namespace ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

/// <summary>An entry in the log of a disk. Files and directories have a number that does not change when they are renamed.</summary>
internal abstract record DiskOperation;

/// <summary>A change of names in one directory, or in two as one step.</summary>
internal abstract record EntryOperation : DiskOperation
{
    public abstract int[] Directories { get; }
}

internal sealed record Created(int Directory, string Name, int Inode, bool IsDirectory) : EntryOperation
{
    public override int[] Directories => [Directory];

    public override string ToString() => $"Created {(IsDirectory ? "directory" : "file")} {Inode} as {Directory}/{Name}";
}

internal sealed record Removed(int Directory, string Name) : EntryOperation
{
    public override int[] Directories => [Directory];

    public override string ToString() => $"Removed {Directory}/{Name}";
}

internal sealed record Renamed(int From, string FromName, int To, string ToName) : EntryOperation
{
    public override int[] Directories => From == To ? [From] : [From, To];

    public override string ToString() => $"Renamed {From}/{FromName} to {To}/{ToName}";
}

/// <summary>Two names in one directory that are exchanged in one step.</summary>
internal sealed record Exchanged(int Directory, string First, string Second) : EntryOperation
{
    public override int[] Directories => [Directory];

    public override string ToString() => $"Exchanged {Directory}/{First} and {Directory}/{Second}";
}

/// <summary>A change of the bytes or the length of a file.</summary>
internal abstract record DataOperation(int Inode) : DiskOperation;

internal sealed record Written(int Inode, int Offset, byte[] Bytes) : DataOperation(Inode)
{
    public override string ToString() => $"Written {Bytes.Length} bytes to {Inode} at {Offset}";
}

internal sealed record Truncated(int Inode, int Length) : DataOperation(Inode);

internal sealed record FileSynced(int Inode) : DiskOperation;

/// <summary>A sync that failed. The system takes the pages for clean, so a later sync of the file does not write them.</summary>
internal sealed record SyncFailed(int Inode) : DiskOperation;

internal sealed record DirectorySynced(int Inode) : DiskOperation;

/// <summary>What the caller requested or what the store acknowledged at this point.</summary>
internal sealed record Noted(string Text, Action<Expectations> Apply) : DiskOperation
{
    public override string ToString() => Text;
}

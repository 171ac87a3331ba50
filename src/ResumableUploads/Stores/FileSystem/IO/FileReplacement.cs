namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>The names for <see cref="FileLayer.ReplaceFile"/>.</summary>
/// <param name="Directory">The path of the directory.</param>
/// <param name="GuardName">
/// A file that must exist in the directory. It distinguishes the directory from another one that was created at the same path later.
/// </param>
/// <param name="Name">The file to replace.</param>
/// <param name="TemporaryName">The file that is written first and then renamed.</param>
/// <param name="Mode">What a power loss can leave.</param>
internal readonly record struct FileReplacement(string Directory, string GuardName, string Name, string TemporaryName, FileReplacementMode Mode)
{
    /// <summary>Gets the names of files that are deleted before the file is replaced. Null is skipped.</summary>
    public string?[] ObsoleteNames { get; init; } = [];

    public string Path => System.IO.Path.Combine(Directory, Name);

    public string TemporaryPath => System.IO.Path.Combine(Directory, TemporaryName);
}

/// <summary>What a power loss can leave of a file that is replaced, before the new file and its directory have been synced.</summary>
internal enum FileReplacementMode
{
    /// <summary>Anything. The file is never synced.</summary>
    Unsynced,

    /// <summary>The old file or the new one: the new one is synced before the rename.</summary>
    SyncFirst,

    /// <summary>
    /// The old file, or a torn new one. The old file then has the temporary name, because both names are exchanged in one step. Where the system cannot do
    /// that, the same as <see cref="SyncFirst"/>.
    /// </summary>
    Exchange,
}

using System.Text;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>The names for <see cref="FileLayer.ReplaceFile"/>.</summary>
/// <param name="Directory">The path of the directory.</param>
/// <param name="GuardName">
/// A file that must exist in the directory, and begin with <see cref="GuardText"/>. It distinguishes the directory from another one that was created at the same
/// path later.
/// </param>
/// <param name="Name">The file to replace.</param>
/// <param name="TemporaryName">The file that is written first and then renamed.</param>
/// <param name="Mode">What a power loss can leave.</param>
internal readonly record struct FileReplacement(string Directory, string GuardName, string Name, string TemporaryName, FileReplacementMode Mode)
{
    /// <summary>The number of bytes at the beginning of the guard file that are searched for the text.</summary>
    public const int GuardPrefixLength = 128;

    /// <summary>Gets the ASCII text that the first bytes of the guard file contain, or null if it is sufficient that the file exists.</summary>
    public string? GuardText { get; init; }

    /// <summary>Gets the name of a file that is deleted before the file is replaced, or null.</summary>
    public string? ObsoleteName { get; init; }

    public string Path => System.IO.Path.Combine(Directory, Name);

    public string TemporaryPath => System.IO.Path.Combine(Directory, TemporaryName);

    /// <summary>Returns whether the guard file is the expected one.</summary>
    /// <param name="prefix">The first <see cref="GuardPrefixLength"/> bytes of the file.</param>
    public bool IsGuarded(ReadOnlySpan<byte> prefix) => GuardText is null || prefix.IndexOf(Encoding.ASCII.GetBytes(GuardText)) >= 0;
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

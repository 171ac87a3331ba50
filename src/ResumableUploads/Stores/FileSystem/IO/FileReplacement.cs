namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>The names for <see cref="FileLayer.ReplaceFile"/>.</summary>
/// <param name="Directory">The path of the directory.</param>
/// <param name="GuardName">
/// A file that must exist in the directory. It distinguishes the directory from another one that was created at the same path later.
/// </param>
/// <param name="Name">The file to replace.</param>
/// <param name="TemporaryName">The file that is written first and then renamed.</param>
/// <param name="Sync">Whether content and name are made durable.</param>
internal readonly record struct FileReplacement(string Directory, string GuardName, string Name, string TemporaryName, bool Sync)
{
    public string Path => System.IO.Path.Combine(Directory, Name);

    public string TemporaryPath => System.IO.Path.Combine(Directory, TemporaryName);
}

using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

/// <summary>Reports steps as done that it skips.</summary>
internal sealed class BrokenLayer(string directory, string boot = "zero") : RecordingFileLayer(directory, CrashRun.BootOf(boot))
{
    public Func<string, bool> LosesFile { get; init; } = static _ => false;

    public Func<string, bool> LosesDirectory { get; init; } = static _ => false;

    public Func<string, bool> LosesReplacement { get; init; } = static _ => false;

    /// <summary>Gets the function that returns whether the process dies before a file is synced.</summary>
    public Func<string, bool> DiesAtSync { get; init; } = static _ => false;

    /// <summary>Gets the function that returns whether a directory with this name is removed before it is synced, if it is empty.</summary>
    public Func<string, bool> RemovesEmpty { get; init; } = static _ => false;

    public bool KeepsPrevious { get; init; } = true;

    public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content) =>
        base.ReplaceFile(replacement.Mode == FileReplacementMode.Exchange && !KeepsPrevious ? replacement with { Mode = FileReplacementMode.Unsynced } : replacement, content);

    public override void Sync(OpenFile file)
    {
        if (DiesAtSync(file.Path))
        {
            throw new ProcessDied();
        }

        if (!LosesFile(file.Path))
        {
            base.Sync(file);
        }
    }

    public override void SyncDirectory(string path)
    {
        if (RemovesEmpty(Path.GetFileName(path)))
        {
            DeleteEmptyDirectory(path);
        }

        if (!LosesDirectory(path))
        {
            base.SyncDirectory(path);
        }
    }

    protected override void SyncReplacement(OpenFile file)
    {
        if (!LosesReplacement(file.Path))
        {
            base.SyncReplacement(file);
        }
    }
}

using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.CrashTables;

/// <summary>A disk that is only read after a crash. No power loss follows, so syncs are skipped.</summary>
internal sealed class UnsyncedFileLayer(string bootId) : DelegatingFileLayer
{
    public override string BootId => bootId;

    public override void Sync(OpenFile file)
    {
    }

    public override void SyncDirectory(string path)
    {
    }

    public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content) =>
        base.ReplaceFile(replacement with { Mode = FileReplacementMode.Unsynced }, content);
}

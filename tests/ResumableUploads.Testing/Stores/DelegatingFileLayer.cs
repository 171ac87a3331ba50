using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Monitoring;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Testing.Stores;

/// <summary>The real file system, as a base class for tests that replace single operations.</summary>
internal class DelegatingFileLayer() : FileLayerDecorator(FileLayer.Default)
{
    // By path, so that tests see these steps like all others.
    public override OpenFile OpenSibling(ReplacedFile replaced, string name) => OpenWrite(Path.Combine(replaced.Directory, name));

    public override void DeleteSibling(ReplacedFile replaced, string name) => DeleteFile(Path.Combine(replaced.Directory, name));

    public override void ExchangeSiblings(ReplacedFile replaced, string first, string second) =>
        ExchangeFiles(Path.Combine(replaced.Directory, first), Path.Combine(replaced.Directory, second));

    /// <summary>Syncs one target after the other, so that tests can rely on the order.</summary>
    public override void SyncAll(ReadOnlySpan<SyncTarget> targets, ParallelSync parallel, FileLayer outer)
    {
        IOException? failure = null;
        foreach (SyncTarget target in targets)
        {
            try
            {
                target.Sync(outer);
            }
            catch (IOException e)
            {
                failure = e;
            }
        }

        if (failure is not null)
        {
            throw failure;
        }
    }
}

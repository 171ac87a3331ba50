using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Monitoring;

/// <summary>Measures the syncs of another layer.</summary>
internal sealed class MonitoredFileLayer(FileLayer inner, SyncMonitor monitor) : FileLayerDecorator(inner)
{
    public override void Sync(OpenFile file)
    {
        long start = monitor.GetTimestamp();
        try
        {
            base.Sync(file);
        }
        finally
        {
            monitor.Record(file.Path, start);
        }
    }

    public override void SyncDirectory(string path)
    {
        // Directories are not synced on Windows.
        if (OperatingSystem.IsWindows())
        {
            base.SyncDirectory(path);
            return;
        }

        long start = monitor.GetTimestamp();
        try
        {
            base.SyncDirectory(path);
        }
        finally
        {
            monitor.Record(path, start);
        }
    }

    public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content)
    {
        if (replacement.Mode != FileReplacementMode.SyncFirst)
        {
            return base.ReplaceFile(replacement, content);
        }

        // The sync takes nearly all of the time.
        long start = monitor.GetTimestamp();
        try
        {
            return base.ReplaceFile(replacement, content);
        }
        finally
        {
            monitor.Record(replacement.Directory, start);
        }
    }
}

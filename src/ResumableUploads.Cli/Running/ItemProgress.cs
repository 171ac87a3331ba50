using ResumableUploads.Cli.Files;
using ResumableUploads.Cli.Output;
using ResumableUploads.Client;

namespace ResumableUploads.Cli.Running;

/// <summary>Prints the progress of a file.</summary>
internal sealed class ItemProgress(UploadItem item, IRunOutput output) : IProgress<TransferProgress>
{
    private long _offset;

    public long Offset => Volatile.Read(ref _offset);

    public void Report(TransferProgress value)
    {
        Volatile.Write(ref _offset, value.Offset);
        output.Write(new CliEvent(EventKind.Progress) { Path = item.DisplayPath, Offset = value.Offset, Size = value.Length ?? item.Length });
    }
}

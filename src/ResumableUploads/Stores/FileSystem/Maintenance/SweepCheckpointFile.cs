using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Operations;

namespace ResumableUploads.Stores.FileSystem.Maintenance;

/// <summary>The file with the position of the sweep. It is not synced; a torn file counts as none.</summary>
internal sealed class SweepCheckpointFile(StoreContext context, DirectorySync directorySync)
{
    private const int MaxLength = (2 * UploadKey.MaxPartLength) + 2;

    private readonly FileLayer _files = context.Files;

    public UploadKey? Get() =>
        _files.ReadFile(context.Paths.SweepCheckpoint, MaxLength) is [.. var text, (byte)'\n']
        && Encoding.ASCII.GetString(text).Split('/') is [var owner, var id]
        && UploadKey.IsValidPart(owner) && UploadKey.IsValidPart(id)
            ? new UploadKey(owner, id)
            : null;

    public void Put(UploadKey? checkpoint)
    {
        if (checkpoint is not { } key)
        {
            _files.DeleteFile(context.Paths.SweepCheckpoint);
            return;
        }

        directorySync.EnsureDirectories();
        using OpenFile file = Open();
        byte[] text = Encoding.ASCII.GetBytes($"{key}\n");
        _files.Write(file, text, 0);
        _files.Truncate(file, text.Length);
    }

    private OpenFile Open()
    {
        try
        {
            return _files.CreateFile(context.Paths.SweepCheckpoint);
        }
        catch (IOException) when (_files.FileExists(context.Paths.SweepCheckpoint))
        {
            return _files.OpenWrite(context.Paths.SweepCheckpoint);
        }
    }
}

using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Keeps in a small file how far a walk over the store has come. It is not synced, and what is torn counts as none.</summary>
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

    public void Put(UploadKey? place)
    {
        if (place is not { } key)
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

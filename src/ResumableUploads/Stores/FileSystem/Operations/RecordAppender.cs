using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Operations;

/// <summary>Appends records to the files of the previous ones.</summary>
internal sealed class RecordAppender(FileLayer files)
{
    /// <summary>The position up to which records are appended to a file. Further ones replace it, so that it does not grow.</summary>
    private const int MaxAppendPosition = 8 * 1024;

    /// <summary>
    /// Appends a record to the file of the previous one, which takes fewer system calls than to replace the file. Readers see the previous record until the new
    /// one is complete.
    /// </summary>
    /// <returns>
    /// False if the upload was deleted. Null if the file must be replaced: it is too long, or a killed process has left a part of a record, and a reader could
    /// mistake a record of the same length for what it has read.
    /// </returns>
    public bool? TryAppend(LockedUpload upload, StoredRecord next)
    {
        if (upload.Record.EndPosition is 0 or > MaxAppendPosition || upload.Record.Nonce != next.Nonce)
        {
            return null;
        }

        using OpenFile? file = TryOpenWrite(upload.Paths.RecordPath);
        int position = upload.Record.EndPosition;
        Span<byte> content = stackalloc byte[MaxAppendPosition + 1];
        int length = file?.Read(content[..(position + 1)], 0) ?? 0;
        if (file is null || length < position || !RecordCodec.IsAppendable(content[..length], next.Nonce))
        {
            // The path may lead to another upload with the same key.
            return false;
        }

        if (length > position)
        {
            return null;
        }

        ReadOnlyMemory<byte> encoded = RecordCodec.Encode(next);
        files.Write(file, encoded, position);
        upload.Record = next.EndingAt(position + encoded.Length);
        return true;
    }

    private OpenFile? TryOpenWrite(string path)
    {
        try
        {
            return files.OpenWrite(path);
        }
        catch (Exception e) when (StorageErrors.IsNotFound(e))
        {
            return null;
        }
    }
}

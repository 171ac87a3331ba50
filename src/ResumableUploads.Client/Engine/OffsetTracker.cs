namespace ResumableUploads.Client.Engine;

/// <summary>Compares the offsets that a server reports with what was sent.</summary>
internal sealed class OffsetTracker
{
    /// <summary>The highest offset that the server can have if no other client has appended, or null before its first response.</summary>
    private long? _ceiling;

    /// <summary>Gets the offset of the server, or null if a status request is needed.</summary>
    public long? Current { get; private set; }

    /// <summary>Gets the highest offset that the server has reported.</summary>
    public long Highest { get; private set; }

    /// <summary>Makes a status request necessary.</summary>
    public void Forget() => Current = null;

    /// <summary>Starts again for a new upload.</summary>
    public void Reset() => (_ceiling, Current, Highest) = (null, null, 0);

    /// <summary>Remembers that bytes up to this offset may arrive.</summary>
    public void Sending(long end) => _ceiling = Math.Max(_ceiling ?? 0, end);

    /// <summary>Returns why an upload cannot be continued at an offset, or null.</summary>
    public (UploadFailureReason Reason, string Message)? Check(long offset, long? length, long firstOffset) =>
        offset > length ? (UploadFailureReason.DifferentContent, $"The server has {offset} bytes of the upload, but the content has {length}.")
        : offset > _ceiling ? (UploadFailureReason.TakenOver, $"The server has {offset} bytes of the upload, but only {_ceiling} were sent. Another client has continued it.")
        : offset < firstOffset ? (UploadFailureReason.Gone, $"The server has only {offset} bytes of the upload. The first {firstOffset} bytes cannot be read again.")
        : null;

    /// <summary>Accepts the offset of the server. Returns whether it is higher than all before.</summary>
    public bool Accept(long offset)
    {
        bool isProgress = offset > Highest;
        (Current, Highest) = (offset, Math.Max(Highest, offset));
        _ceiling ??= offset;
        return isProgress;
    }
}

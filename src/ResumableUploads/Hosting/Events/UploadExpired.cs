using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>An upload that has expired and was deleted.</summary>
public sealed class UploadExpired : UploadEvent
{
    internal UploadExpired(UploadInfo info, EngineRecord record, IServiceProvider services)
        : base(info.Key, record.FileName, record.RawFileName, record.ContentType, record.ProtocolMetadata, info.Length, services)
    {
        Offset = info.Offset;
        State = info.State;
        Ticket = UploadTicketInfo.From(record.Permit);
    }

    /// <summary>Gets the number of bytes that were stored.</summary>
    public long Offset { get; }

    /// <summary>Gets the state of the upload when it expired.</summary>
    public UploadState State { get; }
}

using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>The progress of an upload: more bytes are durable.</summary>
public sealed class UploadProgress : UploadEvent
{
    internal UploadProgress(UploadKey key, EngineRecord record, long offset, long? length, IServiceProvider services)
        : base(key, record.FileName, record.RawFileName, record.ContentType, record.ProtocolMetadata, length, services)
    {
        Offset = offset;
        Ticket = UploadTicketInfo.From(record.Permit);
    }

    /// <summary>Gets the number of durable bytes.</summary>
    public long Offset { get; }
}

using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.Protocols;

/// <summary>The headers that identify a request of another protocol. A request with headers of two protocols is rejected.</summary>
internal static class ConflictingHeaders
{
    /// <summary>The headers of tus and the IETF draft that must not be in a request of the file-id protocol.</summary>
    public static readonly string[] ForFileId = [TusHeaders.Resumable, .. IetfHeaders.DraftOnlyHeaders];

    /// <summary>The headers of the file-id protocol and the IETF draft that must not be in a tus request.</summary>
    public static readonly string[] ForTus = [FileIdHeaders.FileId, .. IetfHeaders.DraftOnlyHeaders];

    /// <summary>The headers of the file-id protocol and tus that must not be in a request of the IETF draft.</summary>
    public static readonly string[] ForIetf = [FileIdHeaders.FileId, TusHeaders.Resumable];
}

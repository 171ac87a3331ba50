using Azure;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>A snapshot of the blob of an upload. The <see cref="ETag"/> is the condition under which it is still true.</summary>
internal sealed record UploadBlob
{
    public required UploadKey Key { get; init; }

    /// <summary>Gets the key in the name of the blob. It differs from that of an upload that has replaced another one.</summary>
    public required UploadKey BlobKey { get; init; }

    /// <summary>Gets the blobs that are pointers to this one, the first of which has the name of the key.</summary>
    public IReadOnlyList<UploadBlob> Pointers { get; init; } = [];

    /// <summary>Gets whether this is a block blob, and not an append blob.</summary>
    public bool IsBlockBlob { get; init; }

    public required ETag ETag { get; init; }

    /// <summary>Gets the number of bytes in the blob.</summary>
    public required long ContentLength { get; init; }

    /// <summary>Gets the time of the last change, by the clock of the service, cut down to the second.</summary>
    public required DateTimeOffset LastModified { get; init; }

    /// <summary>Gets whether an append was running.</summary>
    public bool IsLeased { get; init; }

    public int Blocks { get; init; }

    public required BlobRecord Record { get; init; }

    /// <summary>Gets the data of the record, also if they are in a side blob.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Gets whether this comes from the memory of this process, so that the upload may have changed.</summary>
    public bool IsRemembered { get; init; }

    public UploadState State => Record.State;

    public long Offset => State == UploadState.Receiving ? ContentLength : Record.Offset;

    public string Version => $"{Record.Nonce}-{Record.Generation}-{Offset}";

    public UploadInfo ToInfo() => new()
    {
        Key = Key,
        Version = Version,
        Offset = Offset,
        LastModified = Record.Move?.LastModified is { } time && Record.Offset == Offset ? time : LastModified,
        Record = new UploadRecord
        {
            State = State,
            Length = Record.Length,
            SlidingExpiration = Record.SlidingExpiration,
            AbsoluteExpiration = Record.AbsoluteExpiration,
            Data = Data,
        },
    };
}

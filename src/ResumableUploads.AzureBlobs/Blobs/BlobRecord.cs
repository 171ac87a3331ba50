using System.Security.Cryptography;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>Bytes that are kept with a record: in the metadata of the blob or, if they are long, in a side blob.</summary>
/// <param name="Inline">The bytes, or empty if they are in a side blob.</param>
/// <param name="SideName">The name of the side blob, without the prefix, or null.</param>
internal sealed record RecordPart(ReadOnlyMemory<byte> Inline, string? SideName)
{
    public static RecordPart Empty { get; } = new(default, null);
}

/// <summary>The blob of an upload that has replaced another one.</summary>
/// <param name="BlobKey">The key in the name of the blob.</param>
/// <param name="Nonce">The random id of the upload.</param>
internal sealed record BlobPointer(UploadKey BlobKey, string Nonce);

/// <summary>The mark of an upload that replaces another one.</summary>
/// <param name="Key">The key of the upload from now on. It does not belong to the key in the name of its blob any more.</param>
/// <param name="ReplacedBlobKey">The key in the name of the blob of the replaced upload.</param>
/// <param name="ReplacedETag">The ETag of the replaced upload. While it is current, the replacement may still be in progress.</param>
/// <param name="LastModified">The time of the last change, or null if there was one since the replacement.</param>
internal sealed record BlobMove(UploadKey Key, UploadKey ReplacedBlobKey, string ReplacedETag, DateTimeOffset? LastModified);

/// <summary>What the metadata of the blob of an upload contain.</summary>
internal sealed record BlobRecord
{
    /// <summary>Gets the random id of the upload. An upload that is created with the same key later has another one.</summary>
    public required string Nonce { get; init; }

    /// <summary>Gets the random id of the write that wrote this record, by which a writer recognizes its own write.</summary>
    public required string WriteId { get; init; }

    /// <summary>Gets the number of updates of the record.</summary>
    public long Generation { get; init; }

    public UploadState State { get; init; }

    public long? Length { get; init; }

    public TimeSpan? SlidingExpiration { get; init; }

    public DateTimeOffset? AbsoluteExpiration { get; init; }

    /// <summary>Gets the offset when the record was written. It is the offset of the upload once no more bytes are received.</summary>
    public long Offset { get; init; }

    public required RecordPart Data { get; init; }

    public RecordPart? Response { get; init; }

    /// <summary>Gets the mark of a replacement, if the upload has replaced another one or is about to.</summary>
    public BlobMove? Move { get; init; }

    /// <summary>Gets the blob of the upload that has replaced this one, if the blob is only a pointer to it.</summary>
    public BlobPointer? Successor { get; init; }

    public bool RefersTo(string sideName) => Data.SideName == sideName || Response?.SideName == sideName;

    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}

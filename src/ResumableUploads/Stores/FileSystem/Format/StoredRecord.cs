using System.Globalization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>All that the record file of an upload says.</summary>
internal sealed record StoredRecord
{
    /// <summary>128 random bits in hex, made with the upload. They tell it from any other that ever has the same key.</summary>
    public required string Nonce { get; init; }

    /// <summary>How often the record was changed from outside.</summary>
    public long Generation { get; init; } = 1;

    /// <summary>How often the file was written, for any reason: who reads twice and finds it unchanged has seen one state.</summary>
    public long WriteCount { get; init; } = 1;

    public required UploadRecord Record { get; init; }

    /// <summary>When the record was last changed from outside.</summary>
    public required DateTimeOffset LastUpdated { get; init; }

    public required Durability Durability { get; init; }

    /// <summary>The boot in which the upload was made. It speaks for the bytes as long as there is no mark.</summary>
    public required string CreationBootId { get; init; }

    /// <summary>The offset from <see cref="UploadState.Received"/> on.</summary>
    public long? FinalOffset { get; init; }

    /// <summary>Bytes behind this offset are staged, and do not count.</summary>
    public long? StagingOffset { get; init; }

    /// <summary>Where the content went, or is about to go.</summary>
    public string? MovedTo { get; init; }

    public string GetVersion(long offset) => string.Create(CultureInfo.InvariantCulture, $"{Nonce}-{Generation}-{offset}");

    public UploadInfo ToUploadInfo(UploadKey key, long offset, DateTimeOffset? written = null) => new()
    {
        Key = key,
        Version = GetVersion(offset),
        Offset = offset,
        Record = Record,
        LastModified = written > LastUpdated ? written.Value : LastUpdated,
    };
}

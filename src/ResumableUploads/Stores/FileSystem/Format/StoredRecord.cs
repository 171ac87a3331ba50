using System.Globalization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>The content of <c>record.json</c>.</summary>
internal sealed record StoredRecord
{
    /// <summary>Gets 128 random bits in hex, which distinguish the upload from all others with the same key.</summary>
    public required string Nonce { get; init; }

    /// <summary>Gets the number of changes by the caller. It is part of the version.</summary>
    public long Generation { get; init; } = 1;

    /// <summary>Gets the number of times the file was written for any reason, so that a reader notices every change.</summary>
    public long WriteCount { get; init; } = 1;

    public required UploadRecord Record { get; init; }

    /// <summary>Gets the time of the last change by the caller.</summary>
    public required DateTimeOffset LastUpdated { get; init; }

    public required Durability Durability { get; init; }

    /// <summary>Gets the boot in which the upload was created. It counts until the mark file names a boot.</summary>
    public required string CreationBootId { get; init; }

    /// <summary>Gets the offset from <see cref="UploadState.Received"/> on.</summary>
    public long? FinalOffset { get; init; }

    /// <summary>Gets the offset from which on bytes are staged and do not count, or null.</summary>
    public long? StagingOffset { get; init; }

    /// <summary>Gets the path to which the content was moved or is about to be moved, or null.</summary>
    public string? MovedTo { get; init; }

    /// <summary>
    /// Gets whether a complete copy of the content is in a part file next to <see cref="MovedTo"/>, or was renamed to it. Once the part file is gone, the file
    /// at <see cref="MovedTo"/> is that copy, and not an equal file of another owner.
    /// </summary>
    public bool IsCopied { get; init; }

    /// <summary>Gets the response of the completion handler if it was stored together with the record; otherwise, null.</summary>
    public ReadOnlyMemory<byte>? Response { get; init; }

    /// <summary>
    /// Gets the name of the file with the response, or null if there is none. If an earlier build has written the record of a completed upload, it is
    /// <see cref="StorePaths.LegacyResponseFileName"/>, and the file need not exist.
    /// </summary>
    public string? ResponseFileName { get; init; }

    /// <summary>Gets the position in the file behind the record, where the next one can be appended, or 0 if the next one must replace the file.</summary>
    public int EndPosition { get; init; }

    /// <summary>
    /// Gets whether the next record can be appended to the file. False if the upload survives a power loss, which could tear both records, or if an earlier build
    /// created it: that build may still be running, and cannot read a record that others can follow.
    /// </summary>
    public bool IsAppendable { get; init; }

    /// <summary>Returns the record after it was written.</summary>
    /// <param name="position">The position in the file behind the record.</param>
    public StoredRecord EndingAt(int position) => EndingAt(position, Record);

    /// <inheritdoc cref="EndingAt(int)"/>
    /// <param name="position">The position in the file behind the record.</param>
    /// <param name="record">The record of the caller as it was read or written.</param>
    public StoredRecord EndingAt(int position, UploadRecord record) => this with { EndPosition = IsAppendable ? position : 0, Record = record };

    /// <summary>Returns the record after a change by the caller.</summary>
    /// <param name="record">The new record of the caller.</param>
    /// <param name="offset">The offset of the upload.</param>
    /// <param name="time">The time of the change.</param>
    public StoredRecord Change(UploadRecord record, long offset, DateTimeOffset time) => this with
    {
        Generation = Generation + 1,
        WriteCount = WriteCount + 1,
        Record = record,
        LastUpdated = time,
        FinalOffset = record.State == UploadState.Receiving ? null : offset,

        // Staged bytes that a crash left behind were truncated when the lock was acquired.
        StagingOffset = null,

        // A file that an earlier build has written belongs to a completed upload only.
        ResponseFileName = Record.State == UploadState.Completed ? ResponseFileName : null,
    };

    public string GetVersion(long offset) => string.Create(CultureInfo.InvariantCulture, $"{Nonce}-{Generation}-{offset}");

    public UploadInfo ToUploadInfo(UploadKey key, long offset, DateTimeOffset? dataLastWriteTime = null) => new()
    {
        Key = key,
        Version = GetVersion(offset),
        Offset = offset,
        Record = Record,
        LastModified = offset > 0 && dataLastWriteTime > LastUpdated ? dataLastWriteTime.Value : LastUpdated,
    };
}

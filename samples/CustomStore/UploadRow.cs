using System.Globalization;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>A row of the table of uploads.</summary>
/// <param name="Key">The key.</param>
/// <param name="Nonce">A random value that distinguishes the upload from earlier and later ones with the same key.</param>
/// <param name="Generation">The number of times that the record was written.</param>
/// <param name="Offset">The number of stored bytes.</param>
/// <param name="Record">The record.</param>
/// <param name="LastModifiedTicks">The time of the last change, in UTC ticks.</param>
/// <param name="LeaseHolder">The append that holds the lease, or null.</param>
/// <param name="LeaseRenewal">The number of times that the lease was renewed.</param>
internal sealed record UploadRow(
    UploadKey Key, string Nonce, long Generation, long Offset, UploadRecord Record, long LastModifiedTicks, string? LeaseHolder, long LeaseRenewal)
{
    public string Version => string.Create(CultureInfo.InvariantCulture, $"{Nonce}-{Generation}-{Offset}");

    public UploadInfo ToUploadInfo() =>
        new() { Key = Key, Version = Version, Offset = Offset, Record = Record, LastModified = new DateTimeOffset(LastModifiedTicks, TimeSpan.Zero) };
}

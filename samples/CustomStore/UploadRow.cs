using System.Globalization;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>An upload as the database has it.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Nonce">What tells it from any other that ever has the same name.</param>
/// <param name="Generation">How often its record was written.</param>
/// <param name="Offset">How many bytes it has.</param>
/// <param name="Record">Its record.</param>
/// <param name="LastModifiedTicks">When it last changed, in UTC ticks.</param>
/// <param name="LeaseHolder">Which append claimed it last.</param>
/// <param name="LeaseExpiresTicks">Until when, in UTC ticks.</param>
internal sealed record UploadRow(UploadKey Key, string Nonce, long Generation, long Offset, UploadRecord Record, long LastModifiedTicks, string? LeaseHolder, long LeaseExpiresTicks)
{
    public string Version => string.Create(CultureInfo.InvariantCulture, $"{Nonce}-{Generation}-{Offset}");

    public bool IsLeased(long now) => LeaseExpiresTicks > now;

    public UploadInfo ToUploadInfo() =>
        new() { Key = Key, Version = Version, Offset = Offset, Record = Record, LastModified = new DateTimeOffset(LastModifiedTicks, TimeSpan.Zero) };
}

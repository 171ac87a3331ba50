using System.Globalization;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>An upload as the database has it.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Nonce">What tells it from any other that ever has the same name.</param>
/// <param name="Generation">How often its record was written.</param>
/// <param name="Size">How many bytes it has.</param>
/// <param name="Record">Its record.</param>
/// <param name="Changed">When it last changed, in UTC ticks.</param>
/// <param name="Writer">Which append claimed it last.</param>
/// <param name="WriterUntil">Until when, in UTC ticks.</param>
internal sealed record Row(UploadKey Key, string Nonce, long Generation, long Size, UploadRecord Record, long Changed, string? Writer, long WriterUntil)
{
    public string Version => string.Create(CultureInfo.InvariantCulture, $"{Nonce}-{Generation}-{Size}");

    public bool IsClaimed(long now) => WriterUntil > now;

    public UploadInfo ToInfo() =>
        new() { Key = Key, Version = Version, Offset = Size, Record = Record, LastChanged = new DateTimeOffset(Changed, TimeSpan.Zero) };
}

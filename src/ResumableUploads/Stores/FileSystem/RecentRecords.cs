namespace ResumableUploads.Stores.FileSystem;

/// <summary>
/// Understands records, and remembers a few. A request reads its record several times, and a file whose bytes are those of before says what
/// it said before: there is no need to parse and hash it again.
/// </summary>
internal sealed class RecentRecords
{
    private const int Places = 256;

    /// <summary>Larger ones are rare, and would make this a cache that takes room.</summary>
    private const int MaxLength = 4 * 1024;

    /// <summary>Up to here the bytes hold the nonce, by which uploads differ.</summary>
    private const int OpeningLength = 64;

    private readonly Entry?[] _entries = new Entry?[Places];

    public DecodedRecord Decode(byte[] content)
    {
        var hash = new HashCode();
        hash.AddBytes(content.AsSpan(0, Math.Min(content.Length, OpeningLength)));
        ref Entry? place = ref _entries[(uint)hash.ToHashCode() % Places];
        if (place is { } known && content.AsSpan().SequenceEqual(known.Content))
        {
            return new DecodedRecord(known.Record, null, null);
        }

        DecodedRecord decoded = RecordCodec.Decode(content);
        if (decoded.Record is { } record && content.Length <= MaxLength)
        {
            place = new Entry(content, record);
        }

        return decoded;
    }

    private sealed record Entry(byte[] Content, StoredRecord Record);
}

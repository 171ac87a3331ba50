namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>
/// Understands records, and remembers a few. A request reads its record several times, and a file whose bytes are those of before says what
/// it said before: there is no need to parse and hash it again.
/// </summary>
internal sealed class RecordCache
{
    private const int Capacity = 256;

    /// <summary>Larger ones are rare, and would make this a cache that takes room.</summary>
    private const int MaxCachedLength = 4 * 1024;

    /// <summary>Up to here the bytes hold the nonce, by which uploads differ.</summary>
    private const int HashedPrefixLength = 64;

    private readonly Entry?[] _entries = new Entry?[Capacity];

    public RecordDecodeResult Decode(byte[] content)
    {
        var hash = new HashCode();
        hash.AddBytes(content.AsSpan(0, Math.Min(content.Length, HashedPrefixLength)));
        ref Entry? place = ref _entries[(uint)hash.ToHashCode() % Capacity];
        if (place is { } known && content.AsSpan().SequenceEqual(known.Content))
        {
            return new RecordDecodeResult(known.Record, null, null);
        }

        RecordDecodeResult result = RecordCodec.Decode(content);
        if (result.Record is { } record && content.Length <= MaxCachedLength)
        {
            place = new Entry(content, record);
        }

        return result;
    }

    private sealed record Entry(byte[] Content, StoredRecord Record);
}

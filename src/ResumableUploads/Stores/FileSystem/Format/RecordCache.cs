namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>
/// Decodes records and caches a few of them. A request reads its record several times, and the cache avoids parsing and
/// hashing a file with the same bytes again.
/// </summary>
internal sealed class RecordCache
{
    private const int Capacity = 256;

    /// <summary>The maximum length of a cached file. Longer ones are rare.</summary>
    private const int MaxCachedLength = 4 * 1024;

    /// <summary>The number of bytes that are hashed to find an entry. They include the nonce, which is different in each upload.</summary>
    private const int HashedPrefixLength = 64;

    private readonly Entry?[] _entries = new Entry?[Capacity];

    public RecordDecodeResult Decode(byte[] content)
    {
        var hash = new HashCode();
        hash.AddBytes(content.AsSpan(0, Math.Min(content.Length, HashedPrefixLength)));
        ref Entry? entry = ref _entries[(uint)hash.ToHashCode() % Capacity];
        if (entry is { } known && content.AsSpan().SequenceEqual(known.Content))
        {
            return new RecordDecodeResult(known.Record, null, null);
        }

        RecordDecodeResult result = RecordCodec.Decode(content);
        if (result.Record is { } record && content.Length <= MaxCachedLength)
        {
            entry = new Entry(content, record);
        }

        return result;
    }

    private sealed record Entry(byte[] Content, StoredRecord Record);
}

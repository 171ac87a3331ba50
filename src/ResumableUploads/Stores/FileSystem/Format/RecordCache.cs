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

    /// <summary>Adds a record that was just encoded, because most uploads are read right after their creation.</summary>
    /// <param name="encoded">The content of the file, which is copied.</param>
    /// <param name="record">The record.</param>
    public void Add(ReadOnlySpan<byte> encoded, StoredRecord record)
    {
        if (encoded.Length <= MaxCachedLength && record.Response is null)
        {
            byte[] content = encoded.ToArray();

            // The data is at the end of the file. The caller may change its own copy.
            ReadOnlyMemory<byte> data = content.AsMemory(content.Length - record.Record.Data.Length);
            GetEntry(content) = new Entry(content, record.EndingAt(content.Length, record.Record with { Data = data }));
        }
    }

    /// <summary>Decodes a record.</summary>
    /// <param name="content">The content of the file, which is copied if it is cached.</param>
    public RecordDecodeResult Decode(ReadOnlySpan<byte> content)
    {
        ref Entry? entry = ref GetEntry(content);
        if (entry is { } known && content.SequenceEqual(known.Content))
        {
            return new RecordDecodeResult(known.Record, null, null);
        }

        RecordDecodeResult result = RecordCodec.Decode(content);
        if (result.Record is { } record && content.Length <= MaxCachedLength)
        {
            entry = new Entry(content.ToArray(), record);
        }

        return result;
    }

    private ref Entry? GetEntry(ReadOnlySpan<byte> content)
    {
        var hash = new HashCode();
        hash.AddBytes(content[..Math.Min(content.Length, HashedPrefixLength)]);
        return ref _entries[(uint)hash.ToHashCode() % Capacity];
    }

    private sealed record Entry(byte[] Content, StoredRecord Record);
}

using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.UnitTests.Stores.AzureBlobs;

public class BlobRecordCodecTests
{
    /// <summary>The maximum size of all names and values of the metadata of a blob.</summary>
    private const int MaxMetadataSize = 8 * 1024;

    private static readonly BlobRecord Full = new()
    {
        Nonce = BlobRecord.NewId(),
        WriteId = BlobRecord.NewId(),
        Generation = long.MaxValue,
        State = UploadState.Completed,
        Length = long.MaxValue,
        SlidingExpiration = TimeSpan.MaxValue,
        AbsoluteExpiration = DateTimeOffset.MaxValue,
        Offset = long.MaxValue,
        Data = new RecordPart(new byte[BlobRecordCodec.MaxInlineLength], null),
        Move = new BlobMove(new UploadKey(new string('c', 80), new string('d', 80)), new UploadKey(new string('h', 80), new string('i', 80)), new string('e', 50), DateTimeOffset.MaxValue),
        Successor = new BlobPointer(new UploadKey(new string('f', 80), new string('g', 80)), BlobRecord.NewId()),
        Response = new RecordPart(default, BlobNames.NewSideName(new UploadKey(new string('a', 80), new string('b', 80)))),
    };

    [Fact]
    public void Largest_record_fits_into_the_metadata_and_round_trips()
    {
        Dictionary<string, string> metadata = BlobRecordCodec.Encode(Full);
        Assert.InRange(metadata.Sum(static pair => pair.Key.Length + pair.Value.Length), 1, MaxMetadataSize);
        Assert.True(BlobRecordCodec.TryDecode(metadata, out BlobRecord? decoded));
        Assert.Equal(Full.Data.Inline.ToArray(), decoded.Data.Inline.ToArray());
        Assert.Equal(Full with { Data = decoded.Data }, decoded);
    }

    [Fact]
    public void Smallest_record_round_trips()
    {
        var record = new BlobRecord { Nonce = BlobRecord.NewId(), WriteId = BlobRecord.NewId(), Data = new RecordPart(default, "owner.id.1") };
        Assert.True(BlobRecordCodec.TryDecode(BlobRecordCodec.Encode(record), out BlobRecord? decoded));
        Assert.Equal(record, decoded);
    }

    [Fact]
    public void Truncated_or_foreign_metadata_are_rejected()
    {
        Assert.False(BlobRecordCodec.TryDecode(new Dictionary<string, string>(), out _));
        byte[] bytes = Convert.FromBase64String(BlobRecordCodec.Encode(Full)[BlobRecordCodec.MetadataName]);
        for (int length = 0; length < bytes.Length; length += 1 + (length / 50))
        {
            var metadata = new Dictionary<string, string> { [BlobRecordCodec.MetadataName] = Convert.ToBase64String(bytes.AsSpan(0, length)) };
            Assert.False(BlobRecordCodec.TryDecode(metadata, out _), $"{length}");
        }

        Assert.False(BlobRecordCodec.TryDecode(new Dictionary<string, string> { [BlobRecordCodec.MetadataName] = "?" }, out _));
    }

    [Fact]
    public void Names_of_different_keys_differ_and_are_parsed()
    {
        var names = new BlobNames("x/");
        UploadKey[] keys = [new("0-", "con"), new("0", "a-b"), new("0-a", "b"), new(new string('a', 80), new string('b', 80))];
        Assert.Equal(keys.Length, keys.Select(names.Upload).Distinct().Count());
        foreach (UploadKey key in keys)
        {
            Assert.True(names.TryParseUpload(names.Upload(key), out UploadKey parsed));
            Assert.Equal(key, parsed);
            Assert.True(names.TryParseSide(names.Side(BlobNames.NewSideName(key)), out UploadKey owner));
            Assert.Equal(key, owner);
        }

        Assert.False(names.TryParseUpload("x/uploads/a.b.c", out _));
        Assert.False(names.TryParseUpload("x/other/a.b", out _));
    }
}

using System.Text;
using ResumableUploads.Abstractions;

namespace ResumableUploads.UnitTests.Hosting.Ownership;

public class UploadKeysTests
{
    [Fact]
    public void F1_the_same_bytes_are_the_same_upload() =>
        Assert.Equal(UploadKeys.FromFileId("o", "/upload", "id"u8), UploadKeys.FromFileId("o", "/upload", "id"u8));

    [Fact]
    public void F1_an_id_never_becomes_part_of_a_key_as_it_is()
    {
        foreach (string id in new[] { "../../etc/passwd", "CON", "é", "\u0001", new string('a', 1024) })
        {
            UploadKey key = UploadKeys.FromFileId("o", "/upload", Encoding.UTF8.GetBytes(id));
            Assert.Matches("^[0-9a-f]{64}$", key.Id);
        }
    }

    [Fact]
    public void Owner_scope_and_id_each_tell_uploads_apart()
    {
        UploadKey[] keys =
        [
            UploadKeys.FromFileId("o", "/upload", "id"u8),
            UploadKeys.FromFileId("p", "/upload", "id"u8),
            UploadKeys.FromFileId("o", "/uploads", "id"u8),
            UploadKeys.FromFileId("o", "/upload", "id2"u8),
            UploadKeys.FromFileId("o", "/upload", "ID"u8),
            UploadKeys.FromFileId("o", "/uploadi", "d"u8),
            UploadKeys.FromFileId("o", "", "/upload\0id"u8),
            UploadKeys.FromFileId("o", "/upload", "caf\u00e9"u8),
            UploadKeys.FromFileId("o", "/upload", [.. "caf"u8, 0xe9]),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
    }
}

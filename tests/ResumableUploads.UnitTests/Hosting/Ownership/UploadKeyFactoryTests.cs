using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;

namespace ResumableUploads.UnitTests.Hosting.Ownership;

public class UploadKeyFactoryTests
{
    [Fact]
    public void FromFileId_same_bytes_return_same_key() =>
        Assert.Equal(UploadKeyFactory.FromFileId("o", "/upload", "id"u8), UploadKeyFactory.FromFileId("o", "/upload", "id"u8));

    [Fact]
    public void FromFileId_hashes_the_id()
    {
        foreach (string id in new[] { "../../etc/passwd", "CON", "é", "\u0001", new string('a', 1024) })
        {
            UploadKey key = UploadKeyFactory.FromFileId("o", "/upload", Encoding.UTF8.GetBytes(id));
            Assert.Matches("^[0-9a-f]{64}$", key.Id);
        }
    }

    [Fact]
    public void FromFileId_depends_on_owner_scope_and_id()
    {
        UploadKey[] keys =
        [
            UploadKeyFactory.FromFileId("o", "/upload", "id"u8),
            UploadKeyFactory.FromFileId("p", "/upload", "id"u8),
            UploadKeyFactory.FromFileId("o", "/uploads", "id"u8),
            UploadKeyFactory.FromFileId("o", "/upload", "id2"u8),
            UploadKeyFactory.FromFileId("o", "/upload", "ID"u8),
            UploadKeyFactory.FromFileId("o", "/uploadi", "d"u8),
            UploadKeyFactory.FromFileId("o", "", "/upload\0id"u8),
            UploadKeyFactory.FromFileId("o", "/upload", "caf\u00e9"u8),
            UploadKeyFactory.FromFileId("o", "/upload", [.. "caf"u8, 0xe9]),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
    }
}

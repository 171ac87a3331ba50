using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>Makes keys of what clients send: a hash over the scope and the id, so that no text of theirs goes further.</summary>
internal static class UploadKeys
{
    public static UploadKey FromFileId(string owner, string scope, ReadOnlySpan<byte> fileId)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("file-id\0"u8);
        hash.AppendData(Encoding.UTF8.GetBytes(scope));
        hash.AppendData("\0"u8);
        hash.AppendData(fileId);
        return new UploadKey(owner, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}

using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Abstractions;

namespace ResumableUploads;

/// <summary>Makes keys of what clients send: a hash over the scope and the id, so that no text of theirs goes further.</summary>
internal static class UploadKeys
{
    private static ReadOnlySpan<byte> Kind => "file-id\0"u8;

    public static UploadKey FromFileId(string owner, string scope, ReadOnlySpan<byte> fileId)
    {
        int scopeLength = Encoding.UTF8.GetByteCount(scope);
        int length = Kind.Length + scopeLength + 1 + fileId.Length;
        Span<byte> text = length <= 512 ? stackalloc byte[length] : new byte[length];
        Kind.CopyTo(text);
        Encoding.UTF8.GetBytes(scope, text[Kind.Length..]);
        text[Kind.Length + scopeLength] = 0;
        fileId.CopyTo(text[(Kind.Length + scopeLength + 1)..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        return new UploadKey(owner, Convert.ToHexStringLower(hash));
    }
}

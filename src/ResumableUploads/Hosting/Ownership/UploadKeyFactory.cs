using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Makes keys of what clients send: a hash over the scope and the id, so that no text of theirs goes further.</summary>
internal static class UploadKeyFactory
{
    /// <summary>The key of an upload that its client has named.</summary>
    public static UploadKey FromFileId(string owner, string scope, ReadOnlySpan<byte> fileId) => Create("file-id\0"u8, owner, scope, fileId);

    /// <summary>The key of an upload that the server has named for a client of tus.</summary>
    public static UploadKey FromTusId(string owner, string scope, string id) => Create("server-id\0"u8, owner, scope, Encoding.ASCII.GetBytes(id));

    /// <summary>The key of an upload that the server has named for a client of the IETF draft: to the other protocols it is not there.</summary>
    public static UploadKey FromIetfId(string owner, string scope, string id) => Create("ietf-id\0"u8, owner, scope, Encoding.ASCII.GetBytes(id));

    private static UploadKey Create(ReadOnlySpan<byte> kind, string owner, string scope, ReadOnlySpan<byte> id)
    {
        int scopeLength = Encoding.UTF8.GetByteCount(scope);
        int length = kind.Length + scopeLength + 1 + id.Length;
        Span<byte> text = length <= 512 ? stackalloc byte[length] : new byte[length];
        kind.CopyTo(text);
        Encoding.UTF8.GetBytes(scope, text[kind.Length..]);
        text[kind.Length + scopeLength] = 0;
        id.CopyTo(text[(kind.Length + scopeLength + 1)..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        return new UploadKey(owner, Convert.ToHexStringLower(hash));
    }
}

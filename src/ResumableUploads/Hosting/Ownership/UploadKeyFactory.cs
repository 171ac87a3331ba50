using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Creates upload keys as a hash of the scope and the id, so that no text of a client becomes part of a path or a log message.</summary>
internal static class UploadKeyFactory
{
    /// <summary>Creates the key of an upload from an id that the client has chosen.</summary>
    public static UploadKey FromFileId(string owner, string scope, ReadOnlySpan<byte> fileId) => Create("file-id\0"u8, owner, scope, fileId);

    /// <summary>Creates the key of a tus upload from an id that the server has generated.</summary>
    public static UploadKey FromTusId(string owner, string scope, string id) => Create("server-id\0"u8, owner, scope, id);

    /// <summary>Creates the key of an IETF draft upload from an id that the server has generated. Other protocols cannot access it.</summary>
    public static UploadKey FromIetfId(string owner, string scope, string id) => Create("ietf-id\0"u8, owner, scope, id);

    /// <summary>
    /// Creates the key of the upload of a ticket. It is the same in all protocols and has no scope, so that the ticket has one key. Requests without the ticket
    /// cannot access it.
    /// </summary>
    public static UploadKey FromTicketId(string owner, string id) => Create("ticket\0"u8, owner, "", id);

    private static UploadKey Create(ReadOnlySpan<byte> kind, string owner, string scope, string id)
    {
        Span<byte> bytes = id.Length <= UploadUrl.IdLength ? stackalloc byte[id.Length] : new byte[id.Length];
        return Create(kind, owner, scope, bytes[..Encoding.ASCII.GetBytes(id, bytes)]);
    }

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

namespace ResumableUploads.Protocols.Headers;

/// <summary>The headers that describe the body of a response. They have no meaning in a response without it.</summary>
internal static class ContentHeaders
{
    private static readonly string[] Names =
    [
        "Content-Digest", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Range", "Content-Type", "Digest",
        "Repr-Digest", "Trailer", "Transfer-Encoding",
    ];

    public static bool Contains(string name) => Names.Contains(name, StringComparer.OrdinalIgnoreCase);
}

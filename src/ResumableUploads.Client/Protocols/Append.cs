namespace ResumableUploads.Client.Protocols;

/// <summary>One append.</summary>
/// <param name="Offset">The offset of its first byte.</param>
/// <param name="Count">The number of its bytes.</param>
/// <param name="IsLast">Whether no bytes follow.</param>
/// <param name="Length">The length of the whole content, if it is known.</param>
internal sealed record Append(long Offset, long Count, bool IsLast, long? Length)
{
    /// <summary>Gets the value of <c>Repr-Digest</c>, or null.</summary>
    public string? ReprDigest { get; init; }

    /// <summary>Gets the value of <c>Content-Digest</c>, or null.</summary>
    public string? ContentDigest { get; init; }

    public long End => Offset + Count;

    /// <summary>Adds the digests to a request.</summary>
    public void AddDigests(HttpRequestMessage request)
    {
        if (ReprDigest is not null)
        {
            request.Headers.Add(HeaderNames.ReprDigest, ReprDigest);
        }

        if (ContentDigest is not null)
        {
            request.Headers.Add(HeaderNames.ContentDigest, ContentDigest);
        }
    }
}

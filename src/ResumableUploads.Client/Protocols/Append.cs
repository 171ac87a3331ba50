namespace ResumableUploads.Client.Protocols;

/// <summary>One append.</summary>
/// <param name="Offset">The offset of its first byte.</param>
/// <param name="Count">The number of its bytes.</param>
/// <param name="IsLast">Whether no bytes follow.</param>
/// <param name="Length">The length of the whole content, if it is known.</param>
/// <param name="Digest">The value of <c>Repr-Digest</c>, or null.</param>
internal sealed record Append(long Offset, long Count, bool IsLast, long? Length, string? Digest)
{
    public long End => Offset + Count;
}

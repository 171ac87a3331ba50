namespace ResumableUploads.Engine.Digests;

/// <summary>
/// The digest of a request body, either known before the body or sent in a trailer. The algorithm of a trailer is not known in
/// advance, so all algorithms are computed then.
/// </summary>
/// <param name="Known">The digest, or <see langword="null"/> if it follows in a trailer.</param>
/// <param name="ReadTrailer">
/// Returns the digest of the trailer once the body has ended, or <see langword="null"/> if it is missing or malformed.
/// </param>
internal sealed record BodyDigest(Digest? Known, Func<Digest?>? ReadTrailer = null)
{
    public static BodyDigest? From(Digest? known) => known is null ? null : new BodyDigest(known);
}

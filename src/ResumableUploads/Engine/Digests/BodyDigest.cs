namespace ResumableUploads.Engine.Digests;

/// <summary>
/// The expected digest of a request body, received either before the body or in a trailer. The algorithm of a digest in a trailer is not known in
/// advance, so <see cref="IncrementalDigest"/> computes the hashes of all supported algorithms.
/// </summary>
/// <param name="Expected">The expected digest, or <see langword="null"/> if it follows in a trailer.</param>
/// <param name="ReadTrailer">
/// A function that reads the digest from the trailer after the body has ended, or <see langword="null"/> if <paramref name="Expected"/> is set. It
/// returns <see langword="null"/> if the digest is missing or malformed.
/// </param>
internal sealed record BodyDigest(Digest? Expected, Func<Digest?>? ReadTrailer = null)
{
    /// <summary>Returns a body digest for a digest that was received before the body, or <see langword="null"/> if there is none.</summary>
    public static BodyDigest? From(Digest? expected) => expected is null ? null : new BodyDigest(expected);
}

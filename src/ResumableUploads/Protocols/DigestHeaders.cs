using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.StructuredFields;

namespace ResumableUploads.Protocols;

/// <summary>
/// Reads the digest headers of <see href="https://www.rfc-editor.org/rfc/rfc9530">RFC 9530</see>, which are the same in all protocols. The
/// algorithms <c>sha-256</c> and <c>sha-512</c> are supported.
/// </summary>
internal static class DigestHeaders
{
    public const string ContentDigest = "Content-Digest";
    public const string ReprDigest = "Repr-Digest";
    public const string WantReprDigest = "Want-Repr-Digest";

    /// <summary>The problem detail for a malformed header.</summary>
    public const string MalformedDetail = "A digest header is malformed or has no supported algorithm. Send sha-256=:BASE64: or sha-512=:BASE64:.";

    public static readonly string[] RequestHeaders = [ContentDigest, ReprDigest, WantReprDigest];

    private const int MaxPreference = 10;
    private static readonly DigestAlgorithm[] SupportedAlgorithms = [DigestAlgorithm.Sha256, DigestAlgorithm.Sha512];

    /// <summary>
    /// Parses <c>Content-Digest</c> (<see href="https://www.rfc-editor.org/rfc/rfc9530#section-2">RFC 9530, section 2</see>) or <c>Repr-Digest</c>
    /// (<see href="https://www.rfc-editor.org/rfc/rfc9530#section-3">section 3</see>), a dictionary of byte sequences.
    /// </summary>
    /// <param name="values">The values of the header.</param>
    /// <param name="digest">The first digest with a supported algorithm, or null if the header is absent.</param>
    /// <returns>
    /// <see langword="true"/> if the header is absent or valid; <see langword="false"/> if it is malformed or has no supported algorithm.
    /// </returns>
    public static bool TryParse(StringValues values, out Digest? digest)
    {
        digest = null;
        if (values.Count == 0)
        {
            return true;
        }

        if (!SfDictionary.TryParse(values, out OrderedDictionary<string, SfValue> members))
        {
            return false;
        }

        foreach ((string name, SfValue value) in members)
        {
            DigestAlgorithm? algorithm = Array.Find(SupportedAlgorithms, supported => supported.Name == name);
            if (value.Kind != SfKind.ByteSequence || (algorithm is not null && value.Bytes!.Length != algorithm.HashSizeInBytes))
            {
                return false;
            }

            digest ??= algorithm is null ? null : new Digest(algorithm, value.Bytes);
        }

        return digest is not null;
    }

    /// <summary>
    /// Parses <c>Want-Repr-Digest</c> (<see href="https://www.rfc-editor.org/rfc/rfc9530#section-4">RFC 9530, section 4</see>), a dictionary of
    /// preferences from 0 (not acceptable) to 10.
    /// </summary>
    /// <param name="values">The values of the header.</param>
    /// <returns>The supported algorithm with the highest preference. Null if there is none, or if the header is absent or malformed.</returns>
    public static DigestAlgorithm? GetPreferred(StringValues values) =>
        values.Count > 0 && SfDictionary.TryParse(values, out OrderedDictionary<string, SfValue> members)
            ? GetPreferred(members)
            : null;

    private static DigestAlgorithm? GetPreferred(OrderedDictionary<string, SfValue> members) =>
        SupportedAlgorithms.Where(algorithm => GetPreference(members, algorithm) > 0).MaxBy(algorithm => GetPreference(members, algorithm));

    private static long GetPreference(OrderedDictionary<string, SfValue> members, DigestAlgorithm algorithm) =>
        members.TryGetValue(algorithm.Name, out SfValue value) && value is { Kind: SfKind.Integer, Number: <= MaxPreference } ? value.Number : 0;
}

using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.StructuredFields;

namespace ResumableUploads.Protocols;

/// <summary>The digest headers of RFC 9530, for every protocol. Of the algorithms sha-256 and sha-512 are known.</summary>
internal static class DigestHeaders
{
    public const string ContentDigest = "Content-Digest";
    public const string ReprDigest = "Repr-Digest";
    public const string WantReprDigest = "Want-Repr-Digest";

    /// <summary>What to say of a header that cannot be read.</summary>
    public const string MalformedDetail = "A digest header cannot be read, or has no algorithm that is known here. Send sha-256=:base64: or sha-512=:base64:.";

    /// <summary>What requests carry.</summary>
    public static readonly string[] RequestHeaders = [ContentDigest, ReprDigest, WantReprDigest];

    private const int MaxPreference = 10;
    private static readonly DigestAlgorithm[] SupportedAlgorithms = [DigestAlgorithm.Sha256, DigestAlgorithm.Sha512];

    /// <summary>Reads <c>Content-Digest</c> or <c>Repr-Digest</c> (sections 2 and 3): a dictionary of byte sequences. The first known one counts.</summary>
    /// <param name="values">The header.</param>
    /// <param name="digest">The digest, or null where the header is absent.</param>
    /// <returns>False when the header is malformed or has no algorithm that is known.</returns>
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
            DigestAlgorithm? algorithm = Array.Find(SupportedAlgorithms, known => known.Name == name);
            if (value.Kind != SfKind.ByteSequence || (algorithm is not null && value.Bytes!.Length != algorithm.HashSizeInBytes))
            {
                return false;
            }

            digest ??= algorithm is null ? null : new Digest(algorithm, value.Bytes);
        }

        return digest is not null;
    }

    /// <summary>Reads <c>Want-Repr-Digest</c> (section 4): a dictionary of preferences from 0, for none, to 10.</summary>
    /// <param name="values">The header.</param>
    /// <returns>The known algorithm that is wanted most; null where none is, or the header is malformed: it is a wish.</returns>
    public static DigestAlgorithm? GetPreferred(StringValues values) =>
        values.Count > 0 && SfDictionary.TryParse(values, out OrderedDictionary<string, SfValue> members)
            ? SupportedAlgorithms.Where(algorithm => GetPreference(members, algorithm) > 0).MaxBy(algorithm => GetPreference(members, algorithm))
            : null;

    private static long GetPreference(OrderedDictionary<string, SfValue> members, DigestAlgorithm algorithm) =>
        members.TryGetValue(algorithm.Name, out SfValue value) && value is { Kind: SfKind.Integer, Number: <= MaxPreference } ? value.Number : 0;
}

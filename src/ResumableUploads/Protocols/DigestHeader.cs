using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Content;
using ResumableUploads.Protocols.StructuredFields;

namespace ResumableUploads.Protocols;

/// <summary>The digest headers of RFC 9530, for every protocol. Of the algorithms sha-256 and sha-512 are known.</summary>
internal static class DigestHeader
{
    public const string OfContent = "Content-Digest";
    public const string OfWhole = "Repr-Digest";
    public const string Want = "Want-Repr-Digest";

    /// <summary>What to say of a header that cannot be read.</summary>
    public const string Hint = "A digest header cannot be read, or has no algorithm that is known here. Send sha-256=:base64: or sha-512=:base64:.";

    /// <summary>What requests carry.</summary>
    public static readonly string[] OfRequests = [OfContent, OfWhole, Want];

    private const int MaxPreference = 10;
    private static readonly DigestAlgorithm[] Known = [DigestAlgorithm.Sha256, DigestAlgorithm.Sha512];

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
            DigestAlgorithm? algorithm = Array.Find(Known, known => known.Name == name);
            if (value.Kind != SfKind.Bytes || (algorithm is not null && value.Bytes!.Length != algorithm.Length))
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
    public static DigestAlgorithm? Wanted(StringValues values) =>
        values.Count > 0 && SfDictionary.TryParse(values, out OrderedDictionary<string, SfValue> members)
            ? Known.Where(algorithm => Preference(members, algorithm) > 0).MaxBy(algorithm => Preference(members, algorithm))
            : null;

    private static long Preference(OrderedDictionary<string, SfValue> members, DigestAlgorithm algorithm) =>
        members.TryGetValue(algorithm.Name, out SfValue value) && value is { Kind: SfKind.Integer, Number: <= MaxPreference } ? value.Number : 0;
}

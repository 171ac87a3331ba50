using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Tus;

/// <summary>
/// The names of digest algorithms in the
/// <see href="https://tus.io/protocols/resumable-upload#checksum">Checksum extension</see> of tus, which differ from those of RFC 9530.
/// </summary>
internal static class TusDigestAlgorithms
{
    private static readonly (DigestAlgorithm Algorithm, string Name)[] Algorithms =
    [
        (DigestAlgorithm.Sha256, "sha256"),
        (DigestAlgorithm.Sha512, "sha512"),
        (DigestAlgorithm.Sha1, "sha1"),
        (DigestAlgorithm.Md5, "md5"),
        (DigestAlgorithm.Crc32, "crc32"),
    ];

    public static IEnumerable<string> Names => Algorithms.Select(static entry => entry.Name);

    public static string GetName(DigestAlgorithm algorithm) => Algorithms.Single(entry => entry.Algorithm == algorithm).Name;

    /// <summary>Returns the algorithm, or <see langword="null"/> if it is not supported. Names are case-sensitive.</summary>
    public static DigestAlgorithm? Find(string name) => Algorithms.FirstOrDefault(entry => entry.Name == name).Algorithm;
}

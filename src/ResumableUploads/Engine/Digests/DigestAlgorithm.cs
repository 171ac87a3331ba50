using System.Security.Cryptography;

namespace ResumableUploads.Engine.Digests;

/// <summary>
/// A digest algorithm with its name. The names are those of the digest fields of
/// <see href="https://www.rfc-editor.org/rfc/rfc9530#section-7.2">RFC 9530</see>, except <c>crc32</c>, which RFC 9530 does not register and only
/// an upload protocol uses.
/// </summary>
internal sealed class DigestAlgorithm
{
    public static readonly DigestAlgorithm Sha256 = new("sha-256", SHA256.HashSizeInBytes, static () => new CryptographicHash(HashAlgorithmName.SHA256));
    public static readonly DigestAlgorithm Sha512 = new("sha-512", SHA512.HashSizeInBytes, static () => new CryptographicHash(HashAlgorithmName.SHA512));

    /// <summary>SHA-1, which RFC 9530 registers as <c>sha</c>.</summary>
    public static readonly DigestAlgorithm Sha1 = new("sha", SHA1.HashSizeInBytes, static () => new CryptographicHash(HashAlgorithmName.SHA1));

    public static readonly DigestAlgorithm Md5 = new("md5", MD5.HashSizeInBytes, static () => new CryptographicHash(HashAlgorithmName.MD5));

    /// <summary>CRC-32 as defined by ISO 3309. It differs from <c>crc32c</c> of RFC 9530, which has another polynomial.</summary>
    public static readonly DigestAlgorithm Crc32 = new("crc32", sizeof(uint), static () => new Crc32Hash());

    private readonly Func<IIncrementalHash> _createHash;

    private DigestAlgorithm(string name, int hashSizeInBytes, Func<IIncrementalHash> createHash)
    {
        Name = name;
        HashSizeInBytes = hashSizeInBytes;
        _createHash = createHash;
    }

    /// <summary>Gets all supported algorithms, the cryptographically secure ones first.</summary>
    public static IReadOnlyList<DigestAlgorithm> All { get; } = [Sha256, Sha512, Sha1, Md5, Crc32];

    public string Name { get; }

    public int HashSizeInBytes { get; }

    public IIncrementalHash CreateHash() => _createHash();
}

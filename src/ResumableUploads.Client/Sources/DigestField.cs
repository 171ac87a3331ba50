using System.Security.Cryptography;

namespace ResumableUploads.Client.Sources;

/// <summary>The digest fields of RFC 9530.</summary>
internal static class DigestField
{
    public static IncrementalHash CreateHash(UploadDigest digest) => IncrementalHash.CreateHash(digest == UploadDigest.Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);

    /// <summary>Returns the value of a field with the digest of the hashed bytes.</summary>
    public static string Format(UploadDigest digest, IncrementalHash hash) =>
        $"{(digest == UploadDigest.Sha512 ? "sha-512" : "sha-256")}=:{Convert.ToBase64String(hash.GetCurrentHash())}:";
}

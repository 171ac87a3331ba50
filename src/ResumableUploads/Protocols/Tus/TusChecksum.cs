using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Tus;

/// <summary>Parses <c>Upload-Checksum</c>: the name of an algorithm, one space, and the digest in base64 (tus 1.0.0, Checksum).</summary>
internal static class TusChecksum
{
    /// <summary>The value of <c>Tus-Checksum-Algorithm</c>. The specification requires sha1.</summary>
    public static readonly string AlgorithmNames = string.Join(',', TusDigestAlgorithms.Names);

    /// <summary>Parses the header value. Returns null if the algorithm is not supported, or the value is not base64 or has the wrong length.</summary>
    public static Digest? TryParse(string text)
    {
        string[] parts = text.Split(' ');
        if (parts.Length != 2 || TusDigestAlgorithms.Find(parts[0]) is not { } algorithm)
        {
            return null;
        }

        byte[] value = new byte[algorithm.HashSizeInBytes];
        return Convert.TryFromBase64String(parts[1], value, out int length) && length == value.Length ? new Digest(algorithm, value) : null;
    }
}

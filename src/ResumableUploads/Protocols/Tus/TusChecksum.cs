using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Protocols.Tus;

/// <summary><c>Upload-Checksum</c> (T-50, T-51): the name of an algorithm, a blank, and the digest in base64.</summary>
internal static class TusChecksum
{
    /// <summary>For <c>Tus-Checksum-Algorithm</c>; tus demands that sha1 is among them.</summary>
    public static readonly string AlgorithmNames = string.Join(',', DigestAlgorithm.All.Select(static algorithm => algorithm.TusName));

    /// <summary>Null when the algorithm is not known, or the value is not one of its digests.</summary>
    public static Digest? TryParse(string text)
    {
        string[] parts = text.Split(' ');
        if (parts.Length != 2 || DigestAlgorithm.All.FirstOrDefault(algorithm => algorithm.TusName == parts[0]) is not { } algorithm)
        {
            return null;
        }

        byte[] value = new byte[algorithm.HashSizeInBytes];
        return Convert.TryFromBase64String(parts[1], value, out int length) && length == value.Length ? new Digest(algorithm, value) : null;
    }
}

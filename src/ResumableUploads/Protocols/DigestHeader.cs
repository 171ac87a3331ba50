using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Protocols;

/// <summary>
/// <c>Content-Digest</c> and <c>Repr-Digest</c> (RFC 9530, sections 2 and 3): a dictionary of byte sequences. Of the algorithms sha-256
/// and sha-512 are known; the first known one counts.
/// </summary>
internal static class DigestHeader
{
    private static readonly DigestAlgorithm[] Known = [DigestAlgorithm.Sha256, DigestAlgorithm.Sha512];

    /// <summary>Reads a header.</summary>
    /// <param name="values">Its values.</param>
    /// <param name="digest">The digest, or null where the header is absent.</param>
    /// <returns>False when the header is malformed or has no algorithm that is known.</returns>
    public static bool TryParse(StringValues values, out Digest? digest)
    {
        digest = null;
        if (values.Count == 0)
        {
            return true;
        }

        foreach (string member in values.ToString().Split(','))
        {
            string text = member.Trim(' ', '\t');
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                return false;
            }

            string value = text[(equals + 1)..];
            int end = value.IndexOf(':', 1 <= value.Length ? 1 : 0);
            if (value.Length < 2 || value[0] != ':' || end < 0 || (end + 1 < value.Length && value[end + 1] is not (';' or ' ')))
            {
                return false;
            }

            DigestAlgorithm? algorithm = Array.Find(Known, known => text.AsSpan(0, equals).SequenceEqual(known.Name));
            if (algorithm is null)
            {
                continue;
            }

            byte[] bytes = new byte[algorithm.Length];
            if (!Convert.TryFromBase64String(value[1..end], bytes, out int written) || written != bytes.Length)
            {
                return false;
            }

            digest ??= new Digest(algorithm, bytes);
        }

        return digest is not null;
    }
}

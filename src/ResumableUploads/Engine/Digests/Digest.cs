using System.Security.Cryptography;

namespace ResumableUploads.Engine.Digests;

/// <summary>A digest value with its algorithm.</summary>
internal sealed record Digest(DigestAlgorithm Algorithm, ReadOnlyMemory<byte> Value)
{
    /// <summary>Parses a string that <see cref="ToString"/> returned. Does not validate other strings.</summary>
    public static Digest Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return new Digest(
            DigestAlgorithm.All.First(algorithm => text.AsSpan(0, equals).SequenceEqual(algorithm.Name)),
            Convert.FromBase64String(text[(equals + 1)..].Trim(':')));
    }

    /// <summary>Returns whether the digest equals a hash that was computed with <see cref="Algorithm"/>.</summary>
    public bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Value.Span, hash);

    /// <summary>
    /// Returns the digest as a dictionary member of the digest fields of
    /// <see href="https://www.rfc-editor.org/rfc/rfc9530#section-2">RFC 9530</see>, in the form <c>sha-256=:{base64}:</c>.
    /// </summary>
    public override string ToString() => $"{Algorithm.Name}=:{Convert.ToBase64String(Value.Span)}:";
}

using System.Security.Cryptography;

namespace ResumableUploads.Engine.Digests;

/// <summary>A digest value with its algorithm.</summary>
internal sealed record Digest(DigestAlgorithm Algorithm, ReadOnlyMemory<byte> Value)
{
    /// <summary>Parses the format of <see cref="ToString"/>.</summary>
    public static Digest Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return new Digest(
            DigestAlgorithm.All.First(algorithm => text.AsSpan(0, equals).SequenceEqual(algorithm.Name)),
            Convert.FromBase64String(text[(equals + 1)..].Trim(':')));
    }

    public bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Value.Span, hash);

    /// <summary>
    /// Returns the digest as a dictionary member of <see href="https://www.rfc-editor.org/rfc/rfc9530#section-2">RFC 9530</see>,
    /// such as <c>sha-256=:base64:</c>.
    /// </summary>
    public override string ToString() => $"{Algorithm.Name}=:{Convert.ToBase64String(Value.Span)}:";
}

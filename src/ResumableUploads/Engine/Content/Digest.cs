using System.Buffers;
using System.Security.Cryptography;

namespace ResumableUploads.Engine.Content;

/// <summary>A digest that a client announced (RFC 9530): an algorithm that the server knows, and the value.</summary>
internal sealed record Digest(HashAlgorithmName Algorithm, ReadOnlyMemory<byte> Value)
{
    /// <summary>Reads a text as <see cref="ToString"/> writes it.</summary>
    public static Digest Parse(string text)
    {
        int colon = text.IndexOf('=', StringComparison.Ordinal);
        return new Digest(
            text[..colon] == "sha-512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256,
            Convert.FromBase64String(text[(colon + 1)..].Trim(':')));
    }

    public bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Value.Span, hash);

    /// <summary>As a member of the RFC's dictionary: <c>sha-256=:base64:</c>.</summary>
    public override string ToString() =>
        $"{(Algorithm == HashAlgorithmName.SHA512 ? "sha-512" : "sha-256")}=:{Convert.ToBase64String(Value.Span)}:";
}

/// <summary>Hashes bytes as they pass, for up to two digests: of this body, and of the whole content.</summary>
internal sealed class IncrementalDigest : IDisposable
{
    private readonly Digest? _content;
    private readonly Digest? _whole;
    private readonly IncrementalHash? _contentHash;
    private readonly IncrementalHash? _wholeHash;

    public IncrementalDigest(Digest? content, Digest? whole)
    {
        _content = content;
        _whole = whole;
        _contentHash = content is null ? null : IncrementalHash.CreateHash(content.Algorithm);
        _wholeHash = whole is null ? null : IncrementalHash.CreateHash(whole.Algorithm);
    }

    public bool ContentMatches => _content is null || _content.Matches(_contentHash!.GetCurrentHash());

    public bool WholeMatches => _whole is null || _whole.Matches(_wholeHash!.GetCurrentHash());

    public void Append(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            _contentHash?.AppendData(segment.Span);
            _wholeHash?.AppendData(segment.Span);
        }
    }

    /// <summary>Hashes what the store has already, for the digest of the whole.</summary>
    public async ValueTask AppendBeforeAsync(Stream stored, CancellationToken cancellationToken)
    {
        if (_wholeHash is null)
        {
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int read;
            while ((read = await stored.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                _wholeHash.AppendData(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose()
    {
        _contentHash?.Dispose();
        _wholeHash?.Dispose();
    }
}

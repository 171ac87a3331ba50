using System.Security.Cryptography;

namespace ResumableUploads.Engine.Digests;

/// <summary>A hash that <see cref="IncrementalHash"/> computes.</summary>
internal sealed class CryptographicHash : IIncrementalHash
{
    private readonly IncrementalHash _hash;

    public CryptographicHash(HashAlgorithmName algorithm) => _hash = IncrementalHash.CreateHash(algorithm);

    private CryptographicHash(IncrementalHash hash) => _hash = hash;

    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    public byte[] GetCurrentHash() => _hash.GetCurrentHash();

    public IIncrementalHash Clone() => new CryptographicHash(_hash.Clone());

    public void Dispose() => _hash.Dispose();
}

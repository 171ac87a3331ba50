using System.Security.Cryptography;

namespace ResumableUploads.Engine.Digests;

/// <summary>A hash that <see cref="IncrementalHash"/> computes.</summary>
internal sealed class CryptographicHash(HashAlgorithmName algorithm) : IIncrementalHash
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm);

    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    public byte[] GetCurrentHash() => _hash.GetCurrentHash();

    public void Dispose() => _hash.Dispose();
}

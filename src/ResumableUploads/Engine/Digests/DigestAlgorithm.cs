using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ResumableUploads.Engine.Digests;

/// <summary>An algorithm for digests: its name in the digest headers of RFC 9530, and in tus, where it has one.</summary>
internal sealed class DigestAlgorithm
{
    public static readonly DigestAlgorithm Sha256 = new("sha-256", "sha256", SHA256.HashSizeInBytes, static () => new CryptographicHash(HashAlgorithmName.SHA256));
    public static readonly DigestAlgorithm Sha512 = new("sha-512", "sha512", SHA512.HashSizeInBytes, static () => new CryptographicHash(HashAlgorithmName.SHA512));
    public static readonly DigestAlgorithm Sha1 = new("sha", "sha1", SHA1.HashSizeInBytes, static () => new CryptographicHash(HashAlgorithmName.SHA1));
    public static readonly DigestAlgorithm Md5 = new("md5", "md5", MD5.HashSizeInBytes, static () => new CryptographicHash(HashAlgorithmName.MD5));
    public static readonly DigestAlgorithm Crc32 = new("crc32", "crc32", sizeof(uint), static () => new Crc32Hash());

    private readonly Func<IIncrementalHash> _createHash;

    private DigestAlgorithm(string name, string tusName, int length, Func<IIncrementalHash> begin)
    {
        Name = name;
        TusName = tusName;
        HashSizeInBytes = length;
        _createHash = begin;
    }

    /// <summary>All of them, those that are safe against an attacker first.</summary>
    public static IReadOnlyList<DigestAlgorithm> All { get; } = [Sha256, Sha512, Sha1, Md5, Crc32];

    public string Name { get; }

    public string TusName { get; }

    /// <summary>How many bytes a value has.</summary>
    public int HashSizeInBytes { get; }

    public IIncrementalHash CreateHash() => _createHash();
}

/// <summary>A hash of bytes that come one after another.</summary>
internal interface IIncrementalHash : IDisposable
{
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>The hash of what came so far.</summary>
    byte[] GetCurrentHash();

    /// <summary>Appends what a stream has, to its end.</summary>
    async ValueTask AppendAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                Append(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

internal sealed class CryptographicHash(HashAlgorithmName algorithm) : IIncrementalHash
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm);

    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    public byte[] GetCurrentHash() => _hash.GetCurrentHash();

    public void Dispose() => _hash.Dispose();
}

/// <summary>CRC-32 as in ISO 3309 (and so in gzip and PNG), most significant byte first. The shared framework has none.</summary>
internal sealed class Crc32Hash : IIncrementalHash
{
    private const uint Polynomial = 0xEDB88320;
    private static readonly uint[] Table = CreateTable();
    private uint _state = uint.MaxValue;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        uint state = _state;
        foreach (byte value in bytes)
        {
            state = Table[(byte)(state ^ value)] ^ (state >> 8);
        }

        _state = state;
    }

    public byte[] GetCurrentHash()
    {
        byte[] value = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(value, ~_state);
        return value;
    }

    public void Dispose()
    {
    }

    private static uint[] CreateTable()
    {
        uint[] table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint entry = i;
            for (int bit = 0; bit < 8; bit++)
            {
                entry = (entry & 1) != 0 ? Polynomial ^ (entry >> 1) : entry >> 1;
            }

            table[i] = entry;
        }

        return table;
    }
}

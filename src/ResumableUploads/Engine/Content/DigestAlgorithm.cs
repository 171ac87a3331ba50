using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ResumableUploads.Engine.Content;

/// <summary>An algorithm for digests: its name in the digest headers of RFC 9530, and in tus, where it has one.</summary>
internal sealed class DigestAlgorithm
{
    public static readonly DigestAlgorithm Sha256 = new("sha-256", "sha256", SHA256.HashSizeInBytes, static () => new RunningHash(HashAlgorithmName.SHA256));
    public static readonly DigestAlgorithm Sha512 = new("sha-512", "sha512", SHA512.HashSizeInBytes, static () => new RunningHash(HashAlgorithmName.SHA512));
    public static readonly DigestAlgorithm Sha1 = new("sha", "sha1", SHA1.HashSizeInBytes, static () => new RunningHash(HashAlgorithmName.SHA1));
    public static readonly DigestAlgorithm Md5 = new("md5", "md5", MD5.HashSizeInBytes, static () => new RunningHash(HashAlgorithmName.MD5));
    public static readonly DigestAlgorithm Crc32 = new("crc32", "crc32", sizeof(uint), static () => new RunningCrc32());

    private readonly Func<IRunningHash> _begin;

    private DigestAlgorithm(string name, string tusName, int length, Func<IRunningHash> begin)
    {
        Name = name;
        TusName = tusName;
        Length = length;
        _begin = begin;
    }

    /// <summary>All of them, those that are safe against an attacker first.</summary>
    public static IReadOnlyList<DigestAlgorithm> All { get; } = [Sha256, Sha512, Sha1, Md5, Crc32];

    public string Name { get; }

    public string TusName { get; }

    /// <summary>How many bytes a value has.</summary>
    public int Length { get; }

    public IRunningHash Begin() => _begin();
}

/// <summary>A hash of bytes that come one after another.</summary>
internal interface IRunningHash : IDisposable
{
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>The hash of what came so far.</summary>
    byte[] Current();

    /// <summary>Appends what a stream has, to its end.</summary>
    async ValueTask AppendAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
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

internal sealed class RunningHash(HashAlgorithmName algorithm) : IRunningHash
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm);

    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    public byte[] Current() => _hash.GetCurrentHash();

    public void Dispose() => _hash.Dispose();
}

/// <summary>CRC-32 as in ISO 3309 (and so in gzip and PNG), most significant byte first. The shared framework has none.</summary>
internal sealed class RunningCrc32 : IRunningHash
{
    private const uint Polynomial = 0xEDB88320;
    private static readonly uint[] Table = MakeTable();
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

    public byte[] Current()
    {
        byte[] value = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(value, ~_state);
        return value;
    }

    public void Dispose()
    {
    }

    private static uint[] MakeTable()
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

using System.Buffers.Binary;

namespace ResumableUploads.Engine.Digests;

/// <summary>
/// Computes the CRC-32 that is defined by ISO 3309 and used by gzip and PNG. The hash is the checksum in big-endian byte order.
/// </summary>
/// <remarks>The shared framework does not include a CRC-32: System.IO.Hashing is a separate package.</remarks>
internal sealed class Crc32Hash : IIncrementalHash
{
    private const uint ReversedPolynomial = 0xEDB88320;
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

    public IIncrementalHash Clone() => new Crc32Hash { _state = _state };

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
                entry = (entry & 1) != 0 ? ReversedPolynomial ^ (entry >> 1) : entry >> 1;
            }

            table[i] = entry;
        }

        return table;
    }
}

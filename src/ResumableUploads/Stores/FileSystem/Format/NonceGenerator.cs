using System.Security.Cryptography;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>Generates unique names: 128 random bits in hex.</summary>
internal static class NonceGenerator
{
    private const int ByteCount = 16;
    private const int BufferSize = 64 * ByteCount;

    /// <summary>Random bytes for many names, because each call of the random number generator is expensive.</summary>
    [ThreadStatic]
    private static byte[]? _buffer;

    [ThreadStatic]
    private static int _used;

    public static string Next()
    {
        if (_buffer is null || _used == BufferSize)
        {
            _buffer ??= new byte[BufferSize];
            RandomNumberGenerator.Fill(_buffer);
            _used = 0;
        }

        string nonce = Convert.ToHexStringLower(_buffer, _used, ByteCount);
        _used += ByteCount;
        return nonce;
    }
}

using System.Security.Cryptography;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>Names that nobody guesses, and that are never the same: 128 random bits in hex.</summary>
internal static class NonceGenerator
{
    private const int ByteCount = 16;
    private const int BufferSize = 64 * ByteCount;

    /// <summary>Many are drawn at once: each draw is a call of the system's library.</summary>
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

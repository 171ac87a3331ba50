using System.Security.Cryptography;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Names that nobody guesses, and that are never the same: 128 random bits in hex.</summary>
internal static class Nonce
{
    private const int Size = 16;
    private const int Drawn = 64 * Size;

    /// <summary>Many are drawn at once: each draw is a call of the system's library.</summary>
    [ThreadStatic]
    private static byte[]? _random;

    [ThreadStatic]
    private static int _used;

    public static string Next()
    {
        if (_random is null || _used == Drawn)
        {
            _random ??= new byte[Drawn];
            RandomNumberGenerator.Fill(_random);
            _used = 0;
        }

        string nonce = Convert.ToHexStringLower(_random, _used, Size);
        _used += Size;
        return nonce;
    }
}

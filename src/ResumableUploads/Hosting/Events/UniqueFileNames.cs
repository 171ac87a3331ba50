using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Events;

/// <summary>The names under which a file is moved to a directory, in the order in which they are tried.</summary>
internal static class UniqueFileNames
{
    private const int NumberedNames = 3;
    private const int RandomNames = 10;

    /// <summary>
    /// Returns the name, a few numbered ones, and then names that are unlikely to exist, so that the number of attempts does not grow with the number of
    /// files. The first of those is derived from the key, so that a repeated call tries it again.
    /// </summary>
    public static IEnumerable<string> Get(string safeName, UploadKey key)
    {
        yield return safeName;
        for (int number = 1; number <= NumberedNames; number++)
        {
            yield return FileNameSanitizer.AppendNumber(safeName, number);
        }

        yield return FileNameSanitizer.AppendSuffix(safeName, ToSuffix(SHA256.HashData(Encoding.UTF8.GetBytes($"{key.Owner}/{key.Id}"))));
        for (int i = 0; i < RandomNames; i++)
        {
            yield return FileNameSanitizer.AppendSuffix(safeName, ToSuffix(RandomNumberGenerator.GetBytes(4)));
        }
    }

    private static string ToSuffix(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes[..4]);
}

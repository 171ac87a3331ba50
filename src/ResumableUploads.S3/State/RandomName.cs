using System.Security.Cryptography;

namespace ResumableUploads.S3.State;

/// <summary>Random names of 128 bits.</summary>
internal static class RandomName
{
    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}

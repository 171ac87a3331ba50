using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>
/// Determines the network of a client whose owner is shared with unrelated clients, so that one of them cannot use up the quota of all. A client can
/// change its IPv4 address less easily than its IPv6 address: a single subscriber has 2^64 of those.
/// </summary>
internal static class ClientNetwork
{
    private const int MaxAddressLength = 16;
    private const int NetworkPrefixLength = 8;
    private const int HashLength = 8;

    /// <summary>
    /// Returns a hash of the IPv4 address or of the IPv6 network (/64), or null if the owner is not shared. Records contain it, and do not need
    /// the address itself.
    /// </summary>
    public static string? Get(HttpContext context, string owner) =>
        owner == OwnerResolver.SharedAnonymousOwner ? Hash(context.Connection.RemoteIpAddress) : null;

    /// <summary>Returns the same hash for every anonymous client, also one with an owner of its own, or null if the owner is not anonymous.</summary>
    public static string? GetIfAnonymous(HttpContext context, string owner) =>
        OwnerResolver.IsAnonymous(owner) ? Hash(context.Connection.RemoteIpAddress) : null;

    private static string Hash(IPAddress? address)
    {
        if (address is null)
        {
            // The transport has no addresses, for example a Unix domain socket.
            return "local";
        }

        Span<byte> bytes = stackalloc byte[MaxAddressLength];
        _ = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).TryWriteBytes(bytes, out int length);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Math.Min(length, NetworkPrefixLength)], hash);
        return Convert.ToHexStringLower(hash[..HashLength]);
    }
}

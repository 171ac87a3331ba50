using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Interim;

/// <summary>
/// Detects requests that came through a proxy. <c>X-Original-*</c> is included because <c>UseForwardedHeaders</c> renames the headers that it
/// processes.
/// </summary>
internal static class ProxyHeaders
{
    private static readonly string[] Names = ["Via", "Forwarded", "X-Real-IP"];
    private static readonly string[] Prefixes = ["X-Forwarded-", "X-Original-"];

    public static bool ArePresent(IHeaderDictionary headers) =>
        Array.Exists(Names, headers.ContainsKey)
        || headers.Keys.Any(static name => Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)));
}

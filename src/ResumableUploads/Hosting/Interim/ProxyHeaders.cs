using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Interim;

/// <summary>By which headers a proxy says that a request came through it, also after <c>UseForwardedHeaders</c> has taken them.</summary>
internal static class ProxyHeaders
{
    private static readonly string[] Names = ["Via", "Forwarded", "X-Real-IP"];
    private static readonly string[] Prefixes = ["X-Forwarded-", "X-Original-"];

    public static bool ArePresent(IHeaderDictionary headers) =>
        Array.Exists(Names, headers.ContainsKey)
        || headers.Keys.Any(static name => Array.Exists(Prefixes, beginning => name.StartsWith(beginning, StringComparison.OrdinalIgnoreCase)));
}

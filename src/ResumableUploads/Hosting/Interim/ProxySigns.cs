using Microsoft.AspNetCore.Http;

namespace ResumableUploads;

/// <summary>By which headers a proxy says that a request came through it, also after <c>UseForwardedHeaders</c> has taken them.</summary>
internal static class ProxySigns
{
    private static readonly string[] Names = ["Via", "Forwarded", "X-Real-IP"];
    private static readonly string[] Beginnings = ["X-Forwarded-", "X-Original-"];

    public static bool AreIn(IHeaderDictionary headers) =>
        Array.Exists(Names, headers.ContainsKey)
        || headers.Keys.Any(static name => Array.Exists(Beginnings, beginning => name.StartsWith(beginning, StringComparison.OrdinalIgnoreCase)));
}

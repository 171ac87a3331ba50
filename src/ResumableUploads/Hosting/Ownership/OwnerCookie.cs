using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>The cookie with a random secret that makes a browser without a user an owner of its own.</summary>
internal static class OwnerCookie
{
    /// <summary>The name of the cookie over plain HTTP.</summary>
    private const string Name = "resumable-uploads-owner";

    /// <summary>The name over HTTPS. Browsers accept the prefix only from this host and over HTTPS, so that no other host of the domain can set the cookie.</summary>
    private const string SecureName = "__Host-" + Name;

    private const int SecretLength = 32;
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    /// <summary>Returns the secret, or <see langword="null"/> if the request has none.</summary>
    public static string? GetSecret(HttpContext context) =>
        context.Request.Headers.Cookie.Count > 0
        && context.Request.Cookies.TryGetValue(GetName(context), out string? secret)
        && secret.Length == Base64Url.GetEncodedLength(SecretLength)
        && Base64Url.IsValid(secret)
            ? secret
            : null;

    /// <summary>Returns whether a browser may keep the cookie. A page of another site would not send the SameSite cookie back.</summary>
    public static bool CanSet(HttpContext context) => context.Request.Headers["Sec-Fetch-Site"].ToString() is "same-origin" or "none";

    /// <summary>Sets the cookie for later requests.</summary>
    public static void Set(HttpContext context) => context.Response.Cookies.Append(
        GetName(context),
        Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretLength)),
        new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
            IsEssential = true,
            MaxAge = Lifetime,

            // The prefix of the secure name requires the path "/".
            Path = context.Request is { IsHttps: false, PathBase.HasValue: true } ? context.Request.PathBase.ToString() : "/",
        });

    private static string GetName(HttpContext context) => context.Request.IsHttps ? SecureName : Name;
}

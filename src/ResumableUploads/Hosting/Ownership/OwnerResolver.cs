using System.Buffers.Text;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Who owns the uploads of a request. Only hashes leave this class.</summary>
internal sealed class OwnerResolver(ResumableUploadOptions options)
{
    public const string CookieName = "resumable-uploads-owner";
    private const string SharedAnonymousOwner = "anonymous";
    private const int SecretLength = 32;
    private static readonly TimeSpan CookieLifetime = TimeSpan.FromDays(365);

    /// <summary>The owner part of the request's keys, or why there is none.</summary>
    public Problem? Resolve(HttpContext context, out string owner)
    {
        owner = "";
        if (options.Owner is { } custom)
        {
            if (custom(context) is { } text)
            {
                owner = HashOwner("owner", text);
                return null;
            }
        }
        else if (context.Features.Get<IHttpAuthenticationFeature>()?.User is { Identity: { IsAuthenticated: true } identity } user)
        {
            Claim? id = user.FindFirst(ClaimTypes.NameIdentifier) ?? user.FindFirst("sub");
            string? name = id is not null ? $"{id.Issuer}\n{id.Value}" : identity.Name;
            if (string.IsNullOrEmpty(name))
            {
                return new Problem(403, Problem.CustomType("owner-unknown"), "The user has no name",
                    "The signed-in user has neither an identifier nor a name. The application can say who owns an upload with options.Owner.");
            }

            owner = HashOwner("user", name);
            return null;
        }

        switch (options.AnonymousOwner)
        {
            case AnonymousOwner.Reject:
                return new Problem(401, Problem.CustomType("sign-in"), "Sign in first", "Uploads are for signed-in users here.");
            case AnonymousOwner.PerBrowser when GetOrCreateBrowserSecret(context) is { } secret:
                owner = HashOwner("browser", secret);
                return null;
            default:
                owner = SharedAnonymousOwner;
                return null;
        }
    }

    /// <summary>The secret of this browser, given to it now where it has none yet; null for what is no browser on a page of this site.</summary>
    private static string? GetOrCreateBrowserSecret(HttpContext context)
    {
        if (context.Request.Headers.Cookie.Count > 0
            && context.Request.Cookies.TryGetValue(CookieName, out string? secret)
            && secret.Length == Base64Url.GetEncodedLength(SecretLength)
            && Base64Url.IsValid(secret))
        {
            return secret;
        }

        // A page of another site cannot keep a SameSite cookie: with one, each of its requests would be a new owner.
        if (context.Request.Headers["Sec-Fetch-Site"].ToString() is not ("same-origin" or "none"))
        {
            return null;
        }

        secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretLength));
        context.Response.Cookies.Append(CookieName, secret, new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
            IsEssential = true,
            MaxAge = CookieLifetime,
            Path = context.Request.PathBase.HasValue ? context.Request.PathBase.ToString() : "/",
        });
        return secret;
    }

    private static string HashOwner(string kind, string text) =>
        $"{kind}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
}

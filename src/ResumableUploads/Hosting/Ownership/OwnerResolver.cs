using System.Buffers.Text;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Determines the owner of the uploads of a request. Only a hash of the identity leaves this class.</summary>
internal sealed class OwnerResolver(ResumableUploadOptions options)
{
    public const string CookieName = "resumable-uploads-owner";

    /// <summary>The owner of the uploads of all anonymous clients that have no owner of their own.</summary>
    public const string SharedAnonymousOwner = "anonymous";
    private const int SecretLength = 32;
    private static readonly TimeSpan CookieLifetime = TimeSpan.FromDays(365);

    /// <summary>Determines the owner. Returns a problem if the request cannot have one; otherwise <see langword="null"/>.</summary>
    public Problem? Resolve(HttpContext context, out string owner)
    {
        owner = "";
        if (options.Owner is { } custom)
        {
            if (custom(context) is { } name)
            {
                owner = HashOwner("owner", name);
                return null;
            }
        }
        else if (context.Features.Get<IHttpAuthenticationFeature>()?.User is { Identity: { IsAuthenticated: true } identity } user)
        {
            Claim? id = user.FindFirst(ClaimTypes.NameIdentifier) ?? user.FindFirst("sub");
            string? userName = id is not null ? $"{id.Issuer}\n{id.Value}" : identity.Name;
            if (string.IsNullOrEmpty(userName))
            {
                return new Problem(403, Problem.CustomType("owner-unknown"), "User has no identifier",
                    "The authenticated user has neither an identifier nor a name. Set options.Owner on the server to determine the owner of an upload.");
            }

            owner = HashOwner("user", userName);
            return null;
        }

        switch (options.AnonymousOwner)
        {
            case AnonymousOwner.Reject:
                return new Problem(401, Problem.CustomType("sign-in"), "Authentication required", "Sign in and send the request again.");
            case AnonymousOwner.PerBrowser when GetOrCreateBrowserSecret(context) is { } secret:
                owner = HashOwner("browser", secret);
                return null;
            default:
                owner = SharedAnonymousOwner;
                return null;
        }
    }

    /// <summary>
    /// Returns the secret in the browser's cookie and sets the cookie if there is none. Returns <see langword="null"/> if the
    /// request does not come from a page of this site.
    /// </summary>
    private static string? GetOrCreateBrowserSecret(HttpContext context)
    {
        if (context.Request.Headers.Cookie.Count > 0
            && context.Request.Cookies.TryGetValue(CookieName, out string? secret)
            && secret.Length == Base64Url.GetEncodedLength(SecretLength)
            && Base64Url.IsValid(secret))
        {
            return secret;
        }

        // A page of another site does not send a SameSite cookie back, so each of its requests would get a new owner.
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

    private static string HashOwner(string kind, string name) =>
        $"{kind}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))}";
}

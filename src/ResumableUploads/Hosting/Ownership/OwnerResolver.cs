using System.Buffers.Text;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.Extensions.Logging;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Determines the owner of the uploads of a request. Only a hash of the identity leaves this class.</summary>
internal sealed class OwnerResolver(ResumableUploadOptions options, ILogger logger)
{
    /// <summary>The name of the cookie over plain HTTP.</summary>
    public const string CookieName = "resumable-uploads-owner";

    /// <summary>The name over HTTPS. Browsers accept the prefix only from this host and over HTTPS, so that no other host of the domain can set the cookie.</summary>
    public const string SecureCookieName = "__Host-" + CookieName;

    /// <summary>The owner of the uploads of all anonymous clients that have no owner of their own.</summary>
    public const string SharedAnonymousOwner = "anonymous";
    private const int SecretLength = 32;
    private static readonly TimeSpan CookieLifetime = TimeSpan.FromDays(365);
    private readonly AuthenticationOrderCheck _authenticationOrder = new(logger);

    /// <summary>Determines the owner. Returns a problem if the request cannot have one; otherwise <see langword="null"/>.</summary>
    public Problem? Resolve(HttpContext context, UploadIdSource idSource, out string owner)
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
            if (GetUserName(user, identity) is not { } userName)
            {
                Log.OwnerUnknown(logger, identity.AuthenticationType);
                return new Problem(403, Problem.CustomType("owner-unknown"), "User has no identifier",
                    "The authenticated user has neither an identifier nor a name. Set options.Owner on the server to determine the owner of an upload.");
            }

            owner = HashOwner("user", userName);
            return null;
        }
        else
        {
            _authenticationOrder.WarnIfTooEarly(context);
        }

        switch (options.AnonymousOwner)
        {
            case AnonymousOwner.Reject:
                return new Problem(401, Problem.CustomType("sign-in"), "Authentication required", "Sign in and send the request again.");
            case AnonymousOwner.PerBrowser when idSource == UploadIdSource.Client && GetBrowserSecret(context) is { } secret:
                owner = HashOwner("browser", secret);
                return null;
            default:
                owner = SharedAnonymousOwner;
                return null;
        }
    }

    /// <summary>
    /// Returns a text that identifies the user, or <see langword="null"/>. A subject identifier is unique for its issuer. A name, or an identifier of the
    /// default issuer, is unique only for the scheme that has authenticated it.
    /// </summary>
    private static string? GetUserName(ClaimsPrincipal user, System.Security.Principal.IIdentity identity)
    {
        if ((FindAuthenticated(user, ClaimTypes.NameIdentifier) ?? FindAuthenticated(user, "sub")) is { Value.Length: > 0 } id)
        {
            string? scheme = id.Issuer == ClaimsIdentity.DefaultIssuer ? $"{id.Subject?.AuthenticationType}\n" : null;
            return $"{id.Issuer}\n{scheme}{id.Value}";
        }

        string? issuer = identity is ClaimsIdentity claims ? claims.FindFirst(claims.NameClaimType)?.Issuer : null;
        return string.IsNullOrEmpty(identity.Name) ? null : $"{identity.AuthenticationType}\n{issuer}\n{identity.Name}";
    }

    private static Claim? FindAuthenticated(ClaimsPrincipal user, string type) =>
        user.Identities.Where(static identity => identity.IsAuthenticated).Select(identity => identity.FindFirst(type)).FirstOrDefault(static claim => claim is not null);

    /// <summary>
    /// Returns the secret in the browser's cookie, or <see langword="null"/> if there is none. A status request sets the cookie for later requests. The
    /// request itself, and a browser that keeps no cookies, use the shared owner.
    /// </summary>
    private static string? GetBrowserSecret(HttpContext context)
    {
        string name = context.Request.IsHttps ? SecureCookieName : CookieName;
        if (context.Request.Headers.Cookie.Count > 0
            && context.Request.Cookies.TryGetValue(name, out string? secret)
            && secret.Length == Base64Url.GetEncodedLength(SecretLength)
            && Base64Url.IsValid(secret))
        {
            return secret;
        }

        // An append does not set the cookie: the next one would have another owner. A page of another site would not send the SameSite cookie back.
        bool isStatus = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        bool isSet = context.Response.Headers.SetCookie.Any(cookie => cookie?.StartsWith(name + "=", StringComparison.Ordinal) == true);
        if (isStatus && !isSet && context.Request.Headers["Sec-Fetch-Site"].ToString() is ("same-origin" or "none"))
        {
            SetBrowserSecret(context, name);
        }

        return null;
    }

    private static void SetBrowserSecret(HttpContext context, string name) => context.Response.Cookies.Append(
        name,
        Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretLength)),
        new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
            IsEssential = true,
            MaxAge = CookieLifetime,

            // The prefix of the secure name requires the path "/".
            Path = context.Request is { IsHttps: false, PathBase.HasValue: true } ? context.Request.PathBase.ToString() : "/",
        });

    private static string HashOwner(string kind, string name) =>
        $"{kind}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))}";
}

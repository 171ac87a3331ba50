using System.Security.Claims;
using System.Security.Cryptography;
using System.Security.Principal;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.Extensions.Logging;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Determines the owner of the uploads of a request. Only a hash of the identity leaves this class.</summary>
internal sealed class OwnerResolver(ResumableUploadOptions options, ILogger logger)
{
    /// <summary>The owner of the uploads of all anonymous clients that have no owner of their own.</summary>
    public const string SharedAnonymousOwner = "anonymous";

    private const string BrowserKind = "browser";

    private readonly AuthenticationOrderCheck _authenticationOrder = new(logger);

    /// <summary>Returns whether an owner is the shared one or that of a browser without a user.</summary>
    public static bool IsAnonymous(string owner) => owner == SharedAnonymousOwner || owner.StartsWith(BrowserKind + "-", StringComparison.Ordinal);

    /// <summary>Determines the owner. Returns a problem if the request cannot have one; otherwise <see langword="null"/>.</summary>
    public Problem? Resolve(HttpContext context, UploadIdSource idSource, out string owner)
    {
        owner = "";
        if (options.Owner is { } custom)
        {
            if (custom(context) is { } name)
            {
                owner = GetNamedOwner(name);
                return null;
            }
        }
        else if (context.Features.Get<IHttpAuthenticationFeature>()?.User is { } user && GetAuthenticated(user) is { Count: > 0 } identities)
        {
            if (GetUserName(identities) is not { } userName)
            {
                Log.OwnerUnknown(logger, identities[0].AuthenticationType);
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
            case AnonymousOwner.PerBrowser when idSource == UploadIdSource.Client && OwnerCookie.GetSecret(context) is { } secret:
                owner = HashOwner(BrowserKind, secret);
                return null;
            default:
                owner = SharedAnonymousOwner;
                return null;
        }
    }

    /// <summary>
    /// Sets the cookie that makes a browser without a user an owner of its own from its next request on, if it has none. The request itself, and a browser that
    /// keeps no cookies, use the shared owner.
    /// </summary>
    public void SetCookieIfMissing(HttpContext context, string owner)
    {
        if (owner == SharedAnonymousOwner && options.AnonymousOwner == AnonymousOwner.PerBrowser && OwnerCookie.CanSet(context))
        {
            OwnerCookie.Set(context);
        }
    }

    /// <summary>Returns the authenticated identities of a user, the primary one first. As in the framework, one of them makes the user authenticated.</summary>
    private static List<IIdentity> GetAuthenticated(ClaimsPrincipal user) =>
        [.. user.Identities.Prepend(user.Identity).OfType<IIdentity>().Where(static identity => identity.IsAuthenticated).Distinct()];

    /// <summary>
    /// Returns a text that identifies the user, or <see langword="null"/>. A subject identifier is unique for its issuer. A name, or an identifier of the
    /// default issuer, is unique only for the scheme that has authenticated it.
    /// </summary>
    private static string? GetUserName(List<IIdentity> identities)
    {
        if ((FindClaim(identities, ClaimTypes.NameIdentifier) ?? FindClaim(identities, "sub")) is { Value.Length: > 0 } id)
        {
            string? scheme = id.Issuer == ClaimsIdentity.DefaultIssuer ? $"{id.Subject?.AuthenticationType}\n" : null;
            return $"{id.Issuer}\n{scheme}{id.Value}";
        }

        if (identities.Find(static identity => !string.IsNullOrEmpty(identity.Name)) is not { } named)
        {
            return null;
        }

        string? issuer = named is ClaimsIdentity claims ? claims.FindFirst(claims.NameClaimType)?.Issuer : null;
        return $"{named.AuthenticationType}\n{issuer}\n{named.Name}";
    }

    private static Claim? FindClaim(List<IIdentity> identities, string type) =>
        identities.OfType<ClaimsIdentity>().Select(identity => identity.FindFirst(type)).FirstOrDefault(static claim => claim is not null);

    /// <summary>Returns the owner that the application names by a string, or the shared owner of anonymous clients for <see langword="null"/>.</summary>
    public static string GetNamedOwner(string? name) => name is null ? SharedAnonymousOwner : HashOwner("owner", name);

    private static string HashOwner(string kind, string name) =>
        $"{kind}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))}";
}

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Hosting.Endpoints.Execution.Responses;

/// <summary>
/// The cookies of a buffered response, to which the cookie policy of the app applies. The policy wraps the cookies of the server's response, so each cookie
/// is written there first, and then moved to the buffered response.
/// </summary>
/// <param name="features">The features of the request.</param>
/// <param name="serverResponse">The response of the server.</param>
/// <param name="policy">The cookies of the server's response.</param>
internal sealed class PolicyResponseCookies(IFeatureCollection features, IHttpResponseFeature serverResponse, IResponseCookiesFeature policy)
    : IResponseCookiesFeature, IResponseCookies
{
    public IResponseCookies Cookies => this;

    /// <summary>Directs the cookies of a request to the response that replaces that of the server, with the policy of the app if it has one.</summary>
    public static void Override(FeatureOverrides overrides, IFeatureCollection features, IHttpResponseFeature serverResponse)
    {
        // The framework's feature keeps the headers of the response for which it was created. It is created again when it is missing.
        PolicyResponseCookies? cookies = features.Get<IResponseCookiesFeature>() is { } policy and not ResponseCookiesFeature
            ? new PolicyResponseCookies(features, serverResponse, policy)
            : null;
        ITrackingConsentFeature? consent = features.Get<ITrackingConsentFeature>();
        overrides.Set<IResponseCookiesFeature>(cookies);
        overrides.Set(cookies is null || consent is null ? consent : new Consent(cookies, consent));
    }

    public void Append(string key, string value) => Write(() => policy.Cookies.Append(key, value));

    public void Append(string key, string value, CookieOptions options) => Write(() => policy.Cookies.Append(key, value, options));

    public void Delete(string key) => Write(() => policy.Cookies.Delete(key));

    public void Delete(string key, CookieOptions options) => Write(() => policy.Cookies.Delete(key, options));

    private void Write(Action write)
    {
        IHttpResponseFeature buffered = features.GetRequiredFeature<IHttpResponseFeature>();
        StringValues previous = serverResponse.Headers.SetCookie;
        serverResponse.Headers.SetCookie = buffered.Headers.SetCookie;
        features.Set(serverResponse);
        try
        {
            write();
            buffered.Headers.SetCookie = serverResponse.Headers.SetCookie;
        }
        finally
        {
            features.Set(buffered);
            serverResponse.Headers.SetCookie = previous;
        }
    }

    /// <summary>The consent that the policy requires, which is a cookie too.</summary>
    private sealed class Consent(PolicyResponseCookies cookies, ITrackingConsentFeature policy) : ITrackingConsentFeature
    {
        public bool IsConsentNeeded => policy.IsConsentNeeded;

        public bool HasConsent => policy.HasConsent;

        public bool CanTrack => policy.CanTrack;

        public void GrantConsent() => cookies.Write(policy.GrantConsent);

        public void WithdrawConsent() => cookies.Write(policy.WithdrawConsent);

        public string CreateConsentCookie() => policy.CreateConsentCookie();
    }
}

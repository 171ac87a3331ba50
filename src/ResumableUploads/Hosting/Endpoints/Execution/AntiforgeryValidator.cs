using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Validates the antiforgery token of an upload: in a header when the upload is created, and in the header or a form field when the upload is complete.
/// The framework's middleware cannot do this, because a chunk is not a form.
/// </summary>
internal static class AntiforgeryValidator
{
    /// <summary>Returns whether an endpoint requires a token, by MVC filters (the last one applies) or by metadata.</summary>
    public static bool IsRequired(Endpoint endpoint)
    {
        bool? filter = null;
        foreach (object item in endpoint.Metadata.GetMetadata<ActionDescriptor>()?.FilterDescriptors.Select(static descriptor => (object)descriptor.Filter) ?? [])
        {
            filter = item switch
            {
                IgnoreAntiforgeryTokenAttribute => false,
                ValidateAntiForgeryTokenAttribute or AutoValidateAntiforgeryTokenAttribute => true,
                _ => filter,
            };
        }

        return filter ?? endpoint.Metadata.GetMetadata<IAntiforgeryMetadata>()?.RequiresValidation ?? false;
    }

    /// <summary>Gets the name of the header for tokens, or <see langword="null"/> if the app does not use antiforgery.</summary>
    public static string? GetHeaderName(HttpContext context) =>
        context.RequestServices.GetService<IAntiforgery>() is null
            ? null
            : context.RequestServices.GetService<IOptions<AntiforgeryOptions>>()?.Value.HeaderName;

    /// <summary>
    /// Validates the token in the header of a request that creates an upload. The header can be missing only if the content is a form, because the form may
    /// contain the token.
    /// </summary>
    public static async ValueTask<AntiforgeryResult> ValidateCreationAsync(HttpContext context, Endpoint endpoint)
    {
        if (!IsRequired(endpoint) || context.RequestServices.GetService<IAntiforgery>() is not { } antiforgery)
        {
            return AntiforgeryResult.NotValidated;
        }

        bool hasHeader = GetHeaderName(context) is { } header && context.Request.Headers.ContainsKey(header);
        return !hasHeader && context.Request.HasFormContentType ? AntiforgeryResult.NotValidated
            : await antiforgery.IsRequestValidAsync(context) ? AntiforgeryResult.Valid
            : AntiforgeryResult.Invalid;
    }

    /// <summary>
    /// Validates the token of the complete request, and records the result so that the framework does not validate it again. If the token was valid when the
    /// upload was created, the request gets a new one instead: the cookie, the user's claims and the keys of the server may have changed since.
    /// </summary>
    /// <param name="context">The complete request.</param>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="first">The request that created the upload.</param>
    /// <param name="overrides">The temporary features of the request.</param>
    public static async ValueTask<AntiforgeryResult> ValidateCompletedRequestAsync(HttpContext context, Endpoint endpoint, StoredRequest? first, FeatureOverrides overrides)
    {
        if (!IsRequired(endpoint) || context.RequestServices.GetService<IAntiforgery>() is not { } antiforgery)
        {
            return AntiforgeryResult.NotValidated;
        }

        if (first is { HasValidToken: true })
        {
            SetNewToken(context, antiforgery, overrides);
        }

        try
        {
            await antiforgery.ValidateRequestAsync(context);
        }
        catch (Exception e) when (e is AntiforgeryValidationException or InvalidDataException or BadHttpRequestException)
        {
            return AntiforgeryResult.Invalid;
        }

        context.Features.Set<IAntiforgeryValidationFeature>(PassedAntiforgeryValidationFeature.Instance);
        return AntiforgeryResult.Valid;
    }

    /// <summary>
    /// Sets a token that is valid for the user and the cookie of a request, so that middleware, filters and the endpoint accept it. Sets a new cookie too if the
    /// request has no valid one.
    /// </summary>
    private static void SetNewToken(HttpContext context, IAntiforgery antiforgery, FeatureOverrides overrides)
    {
        ForgetTokens(context.Features, overrides);
        AntiforgeryTokenSet tokens = antiforgery.GetTokens(context);
        context.Request.Headers[tokens.HeaderName!] = tokens.RequestToken;
        if (tokens.CookieToken is { } cookieToken)
        {
            string name = context.RequestServices.GetRequiredService<IOptions<AntiforgeryOptions>>().Value.Cookie.Name!;
            IEnumerable<string> others = context.Request.Cookies.Where(cookie => cookie.Key != name).Select(static cookie => $"{cookie.Key}={Uri.EscapeDataString(cookie.Value)}");
            context.Request.Headers.Cookie = string.Join("; ", [.. others, $"{name}={Uri.EscapeDataString(cookieToken)}"]);
        }

        ForgetTokens(context.Features, overrides);
    }

    /// <summary>Removes the tokens that the framework has read from a request, because the request has others now.</summary>
    private static void ForgetTokens(IFeatureCollection features, FeatureOverrides overrides)
    {
        foreach (Type type in features.Select(static feature => feature.Key).Where(static type => type.FullName == FrameworkInternals.AntiforgeryFeatureName).ToArray())
        {
            overrides.Set(type, null);
        }
    }

    private sealed class PassedAntiforgeryValidationFeature : IAntiforgeryValidationFeature
    {
        public static readonly PassedAntiforgeryValidationFeature Instance = new();

        public bool IsValid => true;

        public Exception? Error => null;
    }
}

/// <summary>Specifies the result of a validation of an antiforgery token.</summary>
internal enum AntiforgeryResult
{
    /// <summary>No token is required, or it is expected in the form.</summary>
    NotValidated,

    /// <summary>The token is valid.</summary>
    Valid,

    /// <summary>The token is missing or invalid.</summary>
    Invalid,
}

using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

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
    public static async ValueTask<bool> ValidateCreationAsync(HttpContext context)
    {
        if (context.RequestServices.GetService<IAntiforgery>() is not { } antiforgery)
        {
            return true;
        }

        bool hasHeader = GetHeaderName(context) is { } header && context.Request.Headers.ContainsKey(header);
        return (!hasHeader && context.Request.HasFormContentType) || await antiforgery.IsRequestValidAsync(context);
    }

    /// <summary>Validates the token of the complete request, and records the result so that the framework does not validate it again.</summary>
    public static async ValueTask<bool> ValidateCompletedRequestAsync(HttpContext context)
    {
        if (context.RequestServices.GetService<IAntiforgery>() is not { } antiforgery)
        {
            return true;
        }

        try
        {
            await antiforgery.ValidateRequestAsync(context);
        }
        catch (Exception e) when (e is AntiforgeryValidationException or InvalidDataException or BadHttpRequestException)
        {
            return false;
        }

        context.Features.Set<IAntiforgeryValidationFeature>(PassedAntiforgeryValidationFeature.Instance);
        return true;
    }

    private sealed class PassedAntiforgeryValidationFeature : IAntiforgeryValidationFeature
    {
        public static readonly PassedAntiforgeryValidationFeature Instance = new();

        public bool IsValid => true;

        public Exception? Error => null;
    }
}

using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Checks the antiforgery token of an upload: in a header when the upload is made, inside a form once, when all of it is there. What the
/// framework does for one request it cannot do for a piece, which is no form.
/// </summary>
internal static class AntiforgeryValidator
{
    /// <summary>Whether the app asks for a token at this endpoint, by metadata or by one of MVC's filters. The last word counts.</summary>
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

    /// <summary>The header in which a token may come, or null where no endpoint could ask for one.</summary>
    public static string? GetHeaderName(HttpContext context) =>
        context.RequestServices.GetService<IAntiforgery>() is null
            ? null
            : context.RequestServices.GetService<IOptions<AntiforgeryOptions>>()?.Value.HeaderName;

    /// <summary>Whether an upload may be made: a token in a header is right, or there is none and the content is a form that will have it.</summary>
    public static async ValueTask<bool> ValidateCreationAsync(HttpContext context)
    {
        if (context.RequestServices.GetService<IAntiforgery>() is not { } antiforgery)
        {
            return true;
        }

        bool hasHeader = GetHeaderName(context) is { } header && context.Request.Headers.ContainsKey(header);
        return (!hasHeader && context.Request.HasFormContentType) || await antiforgery.IsRequestValidAsync(context);
    }

    /// <summary>Whether the whole request has a token that is right. It tells the framework so, which then does not ask again.</summary>
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

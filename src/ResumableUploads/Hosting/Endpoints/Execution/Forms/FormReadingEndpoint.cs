using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace ResumableUploads.Hosting.Endpoints.Execution.Forms;

/// <summary>
/// Reads the form of an action with <see cref="RequestFormLimitsAttribute"/> before the action runs. Its filter would replace the form feature, and with it the
/// limit for the size of the values, but keeps a form that was read. The form is read after the middleware of the app, which may decode the content.
/// </summary>
internal static class FormReadingEndpoint
{
    /// <summary>Returns the endpoint, or one with the same metadata that first reads the form.</summary>
    public static Endpoint Create(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<RequestFormLimitsAttribute>() is null
        ? endpoint
        : new RouteEndpoint(
            context => InvokeAsync(context, endpoint.RequestDelegate!), endpoint.RoutePattern, endpoint.Order, endpoint.Metadata, endpoint.DisplayName);

    private static async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.HasFormContentType)
        {
            try
            {
                await context.Request.ReadFormAsync(context.RequestAborted);
            }
            catch (Exception e) when (e is InvalidDataException or (IOException and not Microsoft.AspNetCore.Http.BadHttpRequestException))
            {
                // The action gets the same exception, and responds as to a plain request.
            }
        }

        await next(context);
    }
}

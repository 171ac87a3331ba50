using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads;
using ResumableUploads.Hosting.Endpoints.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Makes an app's own endpoints resumable.</summary>
public static class ResumableUploadsEndpointConventionBuilderExtensions
{
    /// <summary>
    /// Makes an endpoint, or those of a group that take content, accept interrupted uploads: the handler sees one request with the whole body,
    /// however often the line broke, and its answer is stored before it is sent. Requests without the headers of a protocol are not touched. Needs
    /// <c>AddResumableUploads()</c>.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the endpoint's builder.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="configure">
    /// Changes the options for these endpoints. <see cref="ResumableUploadOptions.OnCompleted"/> stays null: the endpoint is called instead.
    /// </param>
    /// <exception cref="InvalidOperationException"><c>AddResumableUploads()</c> is missing, where that can be seen; else the first request says so.</exception>
    public static TBuilder WithResumableUploads<TBuilder>(this TBuilder builder, Action<ResumableUploadOptions>? configure = null)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder is IEndpointRouteBuilder group)
        {
            ResumableEndpointMetadata.ThrowIfServicesMissing(group.ServiceProvider);
        }

        var metadata = new ResumableEndpointMetadata(configure);
        builder.Add(endpoint =>
        {
            ResumableEndpointMetadata.ThrowIfServicesMissing(endpoint.ApplicationServices);
            endpoint.Metadata.Add(metadata);
        });
        return builder;
    }

    /// <summary>
    /// Chooses where in the pipeline the pieces for resumable endpoints are taken. What comes before it runs for each piece; what comes behind it
    /// runs once, for the whole request. Without this call they are taken at the end, by the endpoints. Call it behind routing, CORS, authentication
    /// and authorization, and before request decompression, antiforgery and rate limiting.
    /// </summary>
    /// <param name="app">The app.</param>
    /// <exception cref="InvalidOperationException"><c>AddResumableUploads()</c> is missing, or <c>UseAntiforgery()</c> was called before.</exception>
    public static IApplicationBuilder UseResumableUploadEndpoints(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        ResumableEndpointMetadata.ThrowIfServicesMissing(app.ApplicationServices);
        if (app.Properties.ContainsKey("__AntiforgeryMiddlewareSet"))
        {
            throw new InvalidOperationException(
                "app.UseAntiforgery() stands in front of app.UseResumableUploadEndpoints(), where it would look for its token in a piece. " +
                "Call app.UseResumableUploadEndpoints() first, behind authorization.");
        }

        ResumableEndpointRegistry registry = app.ApplicationServices.GetRequiredService<ResumableEndpointRegistry>();
        return app.Use(next => new ResumableEndpointMiddleware(next, registry).InvokeAsync);
    }
}

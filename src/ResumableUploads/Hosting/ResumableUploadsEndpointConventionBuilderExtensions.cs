using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Startup;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Makes an app's own endpoints resumable.</summary>
public static class ResumableUploadsEndpointConventionBuilderExtensions
{
    /// <summary>
    /// Makes an endpoint, or the endpoints of a group that accept content, accept resumable uploads. The handler sees one request with the
    /// complete body, however often the connection was interrupted, and its response is stored before it is sent. Requests without the
    /// headers of a protocol are not changed. Requires <c>AddResumableUploads()</c>.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="InvalidOperationException">
    /// <c>AddResumableUploads()</c> was not called. If that cannot be detected here, the first request throws it.
    /// </exception>
    public static TBuilder WithResumableUploads<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.With(new ResumableEndpointMetadata(null, RegisteredOptions.DefaultName));
    }

    /// <summary>
    /// Makes an endpoint, or the endpoints of a group, accept resumable uploads with options of their own. See
    /// <see cref="WithResumableUploads{TBuilder}(TBuilder)"/>.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="configure">
    /// Changes a copy of the default options. <see cref="ResumableUploadOptions.OnCompleted"/> must stay <see langword="null"/>: the
    /// endpoint itself is the completion handler.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="InvalidOperationException">
    /// <c>AddResumableUploads()</c> was not called. If that cannot be detected here, the first request throws it.
    /// </exception>
    public static TBuilder WithResumableUploads<TBuilder>(this TBuilder builder, Action<ResumableUploadOptions> configure)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        return builder.With(new ResumableEndpointMetadata(configure, RegisteredOptions.DefaultName));
    }

    /// <summary>
    /// Makes an endpoint, or the endpoints of a group, accept resumable uploads with named options. See
    /// <see cref="WithResumableUploads{TBuilder}(TBuilder)"/>.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="optionsName">The name of the options, as passed to <c>AddResumableUploads(name)</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="InvalidOperationException"><c>AddResumableUploads()</c> was not called. An unknown name is reported at start.</exception>
    public static TBuilder WithResumableUploads<TBuilder>(this TBuilder builder, string optionsName)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(optionsName);
        return builder.With(new ResumableEndpointMetadata(null, optionsName));
    }

    private static TBuilder With<TBuilder>(this TBuilder builder, ResumableEndpointMetadata metadata)
        where TBuilder : IEndpointConventionBuilder
    {
        if (builder is IEndpointRouteBuilder group)
        {
            ResumableEndpointMetadata.ThrowIfServicesMissing(group.ServiceProvider);
        }

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
        PipelineOrder order = app.ApplicationServices.GetRequiredService<PipelineOrder>();
        return app.Use(next =>
        {
            order.Here();
            return new ResumableEndpointMiddleware(next, registry).InvokeAsync;
        });
    }
}

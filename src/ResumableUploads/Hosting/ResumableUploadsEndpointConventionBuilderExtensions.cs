using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Tickets;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Makes endpoints of the application resumable.</summary>
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

    /// <summary>
    /// Lets a resumable endpoint, that of <c>MapResumableUploads</c> or those of a group accept the upload tickets of <see cref="IUploadTickets"/>. The bearer of a
    /// valid ticket can send the upload of the ticket, whatever the authorization policies of the endpoint are. Other requests are authorized as without this
    /// call. Requires <c>AddDataProtection()</c>.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="builder">The endpoint or group.</param>
    /// <returns>The builder.</returns>
    public static TBuilder AllowUploadTickets<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Add(static endpoint =>
        {
            TicketProtector.ThrowIfServiceMissing(endpoint.ApplicationServices);
            endpoint.Metadata.Add(new AllowUploadTicketsAttribute());
        });
        return builder;
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
    /// Handles the chunks of resumable endpoints at this place in the pipeline. Middleware before it runs for each chunk; middleware after it runs
    /// once, with the complete request. Without this call, chunks are handled at the end of the pipeline. Call it after routing, CORS, authentication
    /// and authorization, and before request decompression, antiforgery and rate limiting.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <returns>The application.</returns>
    /// <exception cref="InvalidOperationException">
    /// <c>AddResumableUploads()</c> was not called, or <c>UseAntiforgery()</c> was called before this method.
    /// </exception>
    public static IApplicationBuilder UseResumableUploadEndpoints(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        ResumableEndpointMetadata.ThrowIfServicesMissing(app.ApplicationServices);
        if (app.Properties.ContainsKey(FrameworkInternals.AntiforgerySetKey))
        {
            throw new InvalidOperationException(
                "app.UseAntiforgery() was called before app.UseResumableUploadEndpoints(), where it would look for its token in a chunk. " +
                "Call app.UseResumableUploadEndpoints() first, after authorization.");
        }

        ResumableEndpointRegistry registry = app.ApplicationServices.GetRequiredService<ResumableEndpointRegistry>();
        return app.Use(next => new ResumableEndpointMiddleware(next, registry).InvokeAsync);
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ResumableUploads;
using ResumableUploads.Hosting;
using ResumableUploads.Hosting.Caching;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Endpoints.Routing.Chunks;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Hosting.Tickets.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds resumable uploads to an application.</summary>
public static class ResumableUploadsApplicationBuilderExtensions
{
    /// <summary>
    /// Handles resumable uploads at <c>/upload</c> and status requests at <c>/status</c>, with the options of <c>AddResumableUploads()</c> or the
    /// defaults. Call it after authentication, CORS and rate limiting.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <returns>The application.</returns>
    /// <exception cref="InvalidOperationException">The store cannot be used. The message names the step that failed.</exception>
    public static IApplicationBuilder UseResumableUploads(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.UseResumableUploads(RegisteredOptions.DefaultName);
    }

    /// <summary>Handles resumable uploads with options of their own.</summary>
    /// <param name="app">The application.</param>
    /// <param name="configure">Changes a copy of the options of <c>AddResumableUploads()</c>, or of the defaults.</param>
    /// <returns>The application.</returns>
    /// <exception cref="InvalidOperationException">
    /// The store cannot be used; the message names the step that failed. Or it has uploads of another call with options of its own at the same path.
    /// </exception>
    public static IApplicationBuilder UseResumableUploads(this IApplicationBuilder app, Action<ResumableUploadOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(configure);
        ResumableUploadOptions options = UploadDispatcherFactory.CreateOptions(app.ApplicationServices, RegisteredOptions.DefaultName);
        configure(options);
        return app.Use(UploadDispatcherFactory.CreateForMiddleware(app.ApplicationServices, options));
    }

    /// <summary>Handles resumable uploads with named options, at their <see cref="ResumableUploadOptions.UploadPath"/>.</summary>
    /// <param name="app">The application.</param>
    /// <param name="optionsName">The name of the options, as passed to <c>AddResumableUploads(name)</c>.</param>
    /// <returns>The application.</returns>
    /// <exception cref="InvalidOperationException">No options have that name.</exception>
    public static IApplicationBuilder UseResumableUploads(this IApplicationBuilder app, string optionsName)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(optionsName);
        return app.Use(UploadDispatcherFactory.GetOrCreateForMiddleware(app.ApplicationServices, optionsName));
    }

    /// <summary>Handles resumable uploads with the given options. Configuration is not read.</summary>
    /// <param name="app">The application.</param>
    /// <param name="options">The options. They are read once; later changes have no effect.</param>
    /// <returns>The application.</returns>
    /// <exception cref="InvalidOperationException">
    /// The store cannot be used; the message names the step that failed. Or it has uploads of another call with options of its own at the same path.
    /// </exception>
    public static IApplicationBuilder UseResumableUploads(this IApplicationBuilder app, ResumableUploadOptions options)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(options);
        return app.Use(UploadDispatcherFactory.CreateForMiddleware(app.ApplicationServices, options));
    }

    private static IApplicationBuilder Use(this IApplicationBuilder app, MiddlewareDispatcher middleware) =>
        app.Use(next => new ResumableUploadMiddleware(next, middleware.Dispatcher, middleware.Options).InvokeAsync);

    /// <summary>
    /// Maps an endpoint that handles resumable uploads with the default options, so that <c>RequireAuthorization</c>, <c>RequireCors</c> and
    /// similar conventions apply to every request of an upload. The same URL answers status requests (GET or HEAD); there is no separate
    /// status path.
    /// </summary>
    /// <param name="endpoints">The application, or a route group.</param>
    /// <param name="pattern">The route pattern. Each URL that matches is a scope of its own: the same file id at two URLs is two uploads.</param>
    /// <returns>A builder whose conventions apply to every request of an upload.</returns>
    /// <exception cref="InvalidOperationException">The store cannot be used.</exception>
    public static IEndpointConventionBuilder MapResumableUploads(this IEndpointRouteBuilder endpoints, string pattern) =>
        endpoints.MapResumableUploads(pattern, RegisteredOptions.DefaultName);

    /// <summary>
    /// Maps an endpoint that handles resumable uploads with options of its own. See
    /// <see cref="MapResumableUploads(IEndpointRouteBuilder, string)"/>.
    /// </summary>
    /// <param name="endpoints">The application, or a route group.</param>
    /// <param name="pattern">The route pattern. Each URL that matches is a scope of its own: the same file id at two URLs is two uploads.</param>
    /// <param name="configure">Changes a copy of the default options.</param>
    /// <returns>A builder whose conventions apply to every request of an upload.</returns>
    /// <exception cref="InvalidOperationException">The store cannot be used.</exception>
    public static IEndpointConventionBuilder MapResumableUploads(
        this IEndpointRouteBuilder endpoints, string pattern, Action<ResumableUploadOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(configure);
        ResumableUploadOptions options = UploadDispatcherFactory.CreateOptions(endpoints.ServiceProvider, RegisteredOptions.DefaultName);
        configure(options);
        return endpoints.MapResumableUploads(pattern, options);
    }

    /// <summary>
    /// Maps an endpoint that handles resumable uploads with named options. The same URL answers status requests; there is no separate
    /// status path.
    /// </summary>
    /// <param name="endpoints">The application, or a route group.</param>
    /// <param name="pattern">The route pattern. Each URL that matches is a scope of its own: the same file id at two URLs is two uploads.</param>
    /// <param name="optionsName">The name of the options, as passed to <c>AddResumableUploads(name)</c>.</param>
    /// <returns>A builder whose conventions apply to every request of an upload.</returns>
    /// <exception cref="InvalidOperationException">No options have that name.</exception>
    public static IEndpointConventionBuilder MapResumableUploads(this IEndpointRouteBuilder endpoints, string pattern, string optionsName)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(optionsName);
        return endpoints.MapResumableUploads(pattern, UploadDispatcherFactory.CreateOptions(endpoints.ServiceProvider, optionsName));
    }

    private static RouteHandlerBuilder MapResumableUploads(this IEndpointRouteBuilder endpoints, string pattern, ResumableUploadOptions options)
    {
        var mapped = new MappedEndpoint(endpoints.ServiceProvider, pattern);
        UploadRequestDispatcher dispatcher = UploadDispatcherFactory.CreateForMapped(endpoints.ServiceProvider, options, mapped);
        IEndpointConventionBuilder creation = endpoints
            .Map(pattern, context => dispatcher.HandleAsync(context, UploadUrl.ForPath(context.Request.Path, context.Request)))
            .WithDisplayName($"Resumable uploads: {pattern}");
        creation.Finally(mapped.OnBuilt);

        // The URLs of single uploads, for the protocols in which the server chooses the URL.
        IEndpointConventionBuilder uploads = endpoints
            .Map($"{pattern.TrimEnd('/')}/{{{UploadUrl.QueryParameterName}:length({UploadUrl.IdLength})}}", context =>
            {
                string path = context.Request.Path.Value!;
                return dispatcher.HandleAsync(context, UploadUrl.ForPath(new PathString(path[..path.TrimEnd('/').LastIndexOf('/')]), context.Request));
            })
            .WithDisplayName($"Resumable uploads: {pattern} (upload resource)");

        // Routing requires names to be unique, and the conventions of the returned builder apply to both endpoints.
        uploads.Finally(static builder =>
        {
            foreach (object name in builder.Metadata.Where(static item => item is IEndpointNameMetadata or IRouteNameMetadata).ToArray())
            {
                builder.Metadata.Remove(name);
            }
        });
        var both = new RouteHandlerBuilder([creation, uploads]);
        both.Finally(static builder => UploadOutputCachePolicy.ReplaceIn(builder.Metadata));
        return both.WithMetadata(CookieRedirectDisabledMetadata.Instance, MappedUploadMetadata.Instance);
    }
}

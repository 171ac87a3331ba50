using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ResumableUploads;
using ResumableUploads.Hosting;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Startup;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts resumable uploads into an app.</summary>
public static class ResumableUploadsApplicationBuilderExtensions
{
    /// <summary>
    /// Takes resumable uploads at <c>/upload</c> and answers <c>/status</c>, with the options from <c>AddResumableUploads()</c> or the defaults.
    /// Put it behind authentication, CORS and rate limiting.
    /// </summary>
    /// <param name="app">The app.</param>
    /// <exception cref="InvalidOperationException">The store cannot be used; the message says which step failed.</exception>
    public static IApplicationBuilder UseResumableUploads(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.UseResumableUploads(UploadDispatcherFactory.CreateOptions(app.ApplicationServices));
    }

    /// <summary>Takes resumable uploads, with options that begin as those of <c>AddResumableUploads()</c> or as the defaults.</summary>
    /// <param name="app">The app.</param>
    /// <param name="configure">Changes the options of this instance alone.</param>
    public static IApplicationBuilder UseResumableUploads(this IApplicationBuilder app, Action<ResumableUploadOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(configure);
        ResumableUploadOptions options = UploadDispatcherFactory.CreateOptions(app.ApplicationServices);
        configure(options);
        return app.UseResumableUploads(options);
    }

    /// <summary>Takes resumable uploads, with these options and no others.</summary>
    /// <param name="app">The app.</param>
    /// <param name="options">The options. They are read once.</param>
    public static IApplicationBuilder UseResumableUploads(this IApplicationBuilder app, ResumableUploadOptions options)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(options);
        UploadRequestDispatcher dispatcher = UploadDispatcherFactory.Create(app.ApplicationServices, options, options.UploadPath);
        return app.Use(next => new ResumableUploadMiddleware(next, dispatcher, options).InvokeAsync);
    }

    /// <summary>
    /// Takes resumable uploads as an endpoint, so that <c>RequireAuthorization</c>, <c>RequireCors</c> and the like apply to every piece.
    /// Status is asked of the same URL with GET or HEAD; there is no separate status path.
    /// </summary>
    /// <param name="endpoints">The app, or a group of it.</param>
    /// <param name="pattern">The route pattern. Two URLs that match it are two scopes: the same file id at both is two uploads.</param>
    /// <param name="configure">Changes the options of this instance alone.</param>
    public static IEndpointConventionBuilder MapResumableUploads(
        this IEndpointRouteBuilder endpoints, string pattern, Action<ResumableUploadOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        ResumableUploadOptions options = UploadDispatcherFactory.CreateOptions(endpoints.ServiceProvider);
        configure?.Invoke(options);
        UploadRequestDispatcher dispatcher = UploadDispatcherFactory.Create(endpoints.ServiceProvider, options, pattern);
        IEndpointConventionBuilder creation = endpoints
            .Map(pattern, context => dispatcher.HandleAsync(context, UploadUrl.ForPath(context.Request.Path, context.Request)))
            .WithDisplayName($"Resumable uploads: {pattern}");

        // An upload of its own URL, for the protocols in which the server names it.
        IEndpointConventionBuilder uploads = endpoints
            .Map($"{pattern.TrimEnd('/')}/{{{UploadUrl.QueryParameterName}:length({UploadUrl.IdLength})}}", context =>
            {
                string path = context.Request.Path.Value!;
                return dispatcher.HandleAsync(context, UploadUrl.ForPath(path[..path.TrimEnd('/').LastIndexOf('/')], context.Request));
            })
            .WithDisplayName($"Resumable uploads: {pattern}, one of them");
        return new BothBuilders(creation, uploads);
    }
}

using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResumableUploads;
using ResumableUploads.Hosting.Caching;
using ResumableUploads.Hosting.Dashboard;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps a dashboard for operators.</summary>
public static class ResumableUploadsDashboardEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps a dashboard that lists the uploads of all owners, can cancel, retry and discard them, and can download their content if an option is set. Requires <c>AddResumableUploads()</c> and
    /// <c>AddAntiforgery()</c>.
    /// </summary>
    /// <remarks>
    /// All requests require the default authorization policy, unless <see cref="ResumableUploadsDashboardOptions.AllowUnauthenticatedAccess"/> is set. Require a policy
    /// for operators with the returned builder if users of the application can sign in.
    /// </remarks>
    /// <param name="endpoints">The application, or a route group.</param>
    /// <param name="pattern">The route pattern of the page, such as <c>/uploads</c>. It must differ from the paths of uploads.</param>
    /// <param name="configure">Configures the dashboard, or <see langword="null"/> for the defaults.</param>
    /// <returns>A builder whose conventions apply to every request of the dashboard.</returns>
    /// <exception cref="ArgumentException">An option is outside its range.</exception>
    /// <exception cref="InvalidOperationException"><c>AddResumableUploads()</c> or <c>AddAntiforgery()</c> was not called. Or <see cref="ResumableUploadsDashboardOptions.DownloadPolicy"/> is set, and the policy does not exist or
    /// <c>AddAuthorization()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapResumableUploadsDashboard(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, Action<ResumableUploadsDashboardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var options = new ResumableUploadsDashboardOptions();
        configure?.Invoke(options);
        options.Validate();
        IServiceProvider services = endpoints.ServiceProvider;
        IUploadManager manager = services.GetService<IUploadManager>()
            ?? throw new InvalidOperationException("MapResumableUploadsDashboard() requires resumable uploads. Call builder.Services.AddResumableUploads().");
        IAntiforgery antiforgery = services.GetService<IAntiforgery>()
            ?? throw new InvalidOperationException("MapResumableUploadsDashboard() requires antiforgery tokens. Call builder.Services.AddAntiforgery().");
        TimeProvider time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        CancellationToken stopping = services.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None;
        DashboardDownloads? downloads = options.DownloadPolicy is { } policy ? CreateDownloads(manager, policy, services) : null;
        var requests = new DashboardEndpoints(manager, antiforgery, options, downloads, time);
        var events = new DashboardEvents(manager, options, time, stopping);

        RouteGroupBuilder group = endpoints.MapGroup(pattern);
        group.MapGet("", (RequestDelegate)requests.GetPageAsync);
        group.MapGet("/events", (RequestDelegate)events.WriteAsync);
        group.MapGet("/dashboard.js", (RequestDelegate)DashboardAsset.Script.WriteAsync);
        group.MapGet("/dashboard.css", (RequestDelegate)DashboardAsset.StyleSheet.WriteAsync);
        group.MapPost(DashboardEndpoints.ActionsPath, (RequestDelegate)requests.PostActionAsync).WithMetadata(new DashboardEndpoints.FormSizeLimit());
        if (downloads is not null)
        {
            group.MapMethods(DashboardDownloads.ContentPath, [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)downloads.GetAsync);
        }

        if (!options.AllowUnauthenticatedAccess)
        {
            group.RequireAuthorization();
        }

        group.WithMetadata(UploadOutputCachePolicy.ForEndpoints);
        return group;
    }

    private static DashboardDownloads CreateDownloads(IUploadManager manager, string policy, IServiceProvider services)
    {
        // AddAuthorizationCore() has policies, but does not evaluate them for requests.
        if (services.GetService<IAuthorizationPolicyProvider>() is not { } policies || services.GetService<IAuthorizationMiddlewareResultHandler>() is null)
        {
            throw new InvalidOperationException("The dashboard option DownloadPolicy requires authorization. Call builder.Services.AddAuthorization().");
        }

        // A provider that reads its policies from elsewhere is called when they are needed.
        return policies.GetPolicyAsync(policy) is { IsCompletedSuccessfully: true, Result: null }
            ? throw new InvalidOperationException($"The dashboard option DownloadPolicy is '{policy}', and the app has no authorization policy with this name.")
            : new DashboardDownloads(manager, policy);
    }
}

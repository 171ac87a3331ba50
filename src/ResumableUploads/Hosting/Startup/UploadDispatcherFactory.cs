using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Locking;
using ResumableUploads.Engine.Quotas;
using ResumableUploads.Engine.Reliability;
using ResumableUploads.Hosting.Caching;
using ResumableUploads.Hosting.Diagnostics;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Forms;
using ResumableUploads.Hosting.Options.Validation;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.ProgressEvents;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Tickets;

namespace ResumableUploads.Hosting.Startup;

/// <summary>Creates the dispatcher of an endpoint from its options: store, engine, events and background work.</summary>
internal static class UploadDispatcherFactory
{
    /// <summary>
    /// The shared services of applications that call <c>Use...</c> or <c>Map...</c> without <c>AddResumableUploads()</c>. With it, the
    /// container has them.
    /// </summary>
    private static readonly ConditionalWeakTable<IServiceProvider, SharedUploadServices> SharedServices = [];

    /// <summary>Gets the middleware with registered options. It has one dispatcher, also if several branches of the pipeline use it.</summary>
    /// <exception cref="OptionsValidationException">An option is invalid.</exception>
    /// <exception cref="InvalidOperationException">No options have that name, or the store cannot be used.</exception>
    public static MiddlewareDispatcher GetOrCreateForMiddleware(IServiceProvider services, string optionsName)
    {
        SharedUploadServices app = GetOrCreateSharedServices(services);
        MiddlewareDispatcher middleware = app.Middleware.GetOrAdd(
            optionsName,
            static (name, services) => CreateForMiddleware(services, CreateOptions(services, name), name),
            services);
        middleware.Branches++;
        if (optionsName == RegisteredOptions.DefaultName && middleware.Branches == 2)
        {
            Log.DefaultOptionsShared(app.Logger, middleware.Options.UploadPath);
        }

        return middleware;
    }

    /// <summary>Creates the middleware with options of its own.</summary>
    /// <exception cref="OptionsValidationException">An option is invalid.</exception>
    /// <exception cref="InvalidOperationException">The store cannot be used, or it has uploads of another middleware at the same path.</exception>
    public static MiddlewareDispatcher CreateForMiddleware(IServiceProvider services, ResumableUploadOptions options) =>
        CreateForMiddleware(services, options, RegisteredOptions.DefaultName);

    private static MiddlewareDispatcher CreateForMiddleware(IServiceProvider services, ResumableUploadOptions options, string optionsName)
    {
        Validate(options);
        if (options.AcceptTickets)
        {
            TicketProtector.ThrowIfServiceMissing(services);
        }

        string path = options.UploadPath;
        string? scope = optionsName.Length == 0 ? null : $"{path.TrimEnd('/')}\0{optionsName}";
        string name = scope ?? path.TrimEnd('/');
        SharedUploadServices app = GetOrCreateSharedServices(services);
        UploadRequestDispatcher dispatcher = Create(services, options, new ServedEndpoints(path, () => [name])
        {
            OnStarting = storage => app.EngineNames.Add(storage, name, endpoint: options,
                $"UseResumableUploads() is called twice for '{path}' with the same store, so the uploads of the one call could be completed by the other. Set a different UploadPath, " +
                "or use named options: builder.Services.AddResumableUploads(\"name\", options => ...) and UseResumableUploads(\"name\")."),
            GetScope = () => scope,
            GetPath = () => path,
        });
        app.AddOutputCachePolicy(UploadOutputCachePolicy.ForUploadsBelow(path));
        return new MiddlewareDispatcher(options, dispatcher);
    }

    /// <summary>Creates the dispatcher of a ready-made endpoint.</summary>
    /// <exception cref="OptionsValidationException">An option is invalid.</exception>
    /// <exception cref="InvalidOperationException">The store cannot be used.</exception>
    public static UploadRequestDispatcher CreateForMapped(IServiceProvider services, ResumableUploadOptions options, MappedEndpoint endpoint)
    {
        Validate(options);
        return Create(services, options, new ServedEndpoints(endpoint.Pattern, () => endpoint.EngineNames)
        {
            OnStarting = storage => endpoint.SetStorage(storage, GetOrCreateSharedServices(services).EngineNames),
            GetScope = () => endpoint.Scope,
            GetRoutePattern = () => endpoint.Identity?.Split('\0')[0],
        });
    }

    /// <summary>Creates the dispatcher of endpoints of the application, which are the completion handler instead of <c>OnCompleted</c>.</summary>
    /// <exception cref="InvalidOperationException">The store cannot be used, or the endpoints' options have an <c>OnCompleted</c>.</exception>
    public static UploadRequestDispatcher CreateForEndpoints(
        IServiceProvider services, string optionsName, ServedEndpoints endpoints, Action<ResumableUploadOptions>? configure)
    {
        ResumableUploadOptions options = CreateOptions(services, optionsName);
        options.RemoveCompletionHandlers();

        // The default options are those of all of the app.
        options.IsMaxUploadSizeSet &= optionsName != RegisteredOptions.DefaultName;
        configure?.Invoke(options);
        Validate(options);
        return options.OnCompleted is null
            ? Create(services, options, endpoints with { AreHandlers = true })
            : throw new InvalidOperationException(
                $"OnCompleted is set in WithResumableUploads() for '{endpoints.DisplayName}', but the endpoint itself is the completion handler. Move the work there.");
    }

    /// <summary>Returns the shared services of an application, or null if it has no upload endpoint.</summary>
    internal static SharedUploadServices? FindSharedServices(IServiceProvider services) =>
        services.GetService<SharedUploadServices>() ?? (SharedServices.TryGetValue(services, out SharedUploadServices? shared) ? shared : null);

    private static SharedUploadServices GetOrCreateSharedServices(IServiceProvider services) =>
        FindSharedServices(services) ?? SharedServices.GetValue(services, static services => SharedUploadServices.Create(services));

    private static void Validate(ResumableUploadOptions options)
    {
        ValidateOptionsResult valid = new ResumableUploadOptionsValidator().Validate(null, options);
        if (valid.Failed)
        {
            throw new OptionsValidationException("ResumableUploads", typeof(ResumableUploadOptions), valid.Failures);
        }
    }

    private static UploadRequestDispatcher Create(IServiceProvider services, ResumableUploadOptions options, ServedEndpoints endpoints)
    {
        if (services.GetService<IOptions<KestrelServerOptions>>() is { } kestrel)
        {
            HeaderEncodingSelector.Install(kestrel.Value);
        }

        SharedUploadServices app = GetOrCreateSharedServices(services);
        ILogger logger = app.Logger;
        IUploadStore store = options.Store ?? (options.IsFileSystemStoreRequired ? null : services.GetService<IUploadStore>()) ?? app.GetFileSystemStore(options);
        TimeProvider clock = app.GetClock(store);
        (UploadLockTable locks, OwnerUsageTable usageByOwner) = app.GetStorage(store);
        endpoints.OnStarting?.Invoke(locks);
        app.CheckBeforeStart(store);
        var events = new UploadEventHandlers(options);
        var metrics = new UploadMetrics(services.GetService<IMeterFactory>(), app.Activity);
        EngineSettings settings = options.ToEngineSettings(endpoints.GetEngineNames, endpoints.AreHandlers || events.OnCompleted is not null);
        var engine = new UploadEngine(store, settings, metrics, locks, usageByOwner, clock, logger);
        if (endpoints.AreHandlers)
        {
            Log.StartedForEndpoints(logger, endpoints.DisplayName, options.Expiration);
        }
        else
        {
            Log.Started(logger, endpoints.DisplayName, options.Expiration);
        }

        if (!endpoints.AreHandlers && events.OnCompleted is null)
        {
            Log.OnCompletedNotSet(logger);
        }

        app.Run(engine, metrics, store, engine.CreateSweepVisitor(new EventUploadCallbacks(events, store, services, request: null)));
        IUploadStore guarded = CancellationGuardStore.Wrap(store, metrics);
        var requestServices = new UploadRequestServices(options, events, engine, guarded, services, clock, logger)
        {
            Identities = new UploadIdentityResolver(options, logger, endpoints.GetScope),
            BufferingProxies = app.BufferingProxies,
            Refusals = new RefusalReporter(metrics, logger),
            ProgressEvents = new ProgressEventResponder(options.ProgressEvents, engine.Inspector, app.ProgressFollowers, app.Time, logger, app.Stopping),
            Tickets = new TicketReader(new TicketProtector(services), app.Time, endpoints.GetPath is null ? null : options.AcceptTickets),
            GetEndpoint = endpoints.GetPath ?? endpoints.GetRoutePattern,
        };
        if ((endpoints.GetPath ?? endpoints.GetRoutePattern) is { } getPattern)
        {
            app.AddFormEndpoint(new FormEndpoint(getPattern, endpoints.GetRoutePattern is not null, requestServices, guarded));
        }

        return new UploadRequestDispatcher(requestServices, app.Stopping);
    }

    /// <summary>Creates a separate instance of the options: from the container if <c>AddResumableUploads()</c> was called, otherwise the defaults.</summary>
    /// <exception cref="InvalidOperationException">No options have that name.</exception>
    public static ResumableUploadOptions CreateOptions(IServiceProvider services, string optionsName) =>
        services.GetService<RegisteredOptions>() is { } registered ? registered.Create(services, optionsName)
        : optionsName.Length == 0 ? new ResumableUploadOptions()
        : throw new InvalidOperationException(
            $"No resumable upload options are named '{optionsName}'. Call builder.Services.AddResumableUploads(\"{optionsName}\").");
}

/// <summary>The middleware of some options.</summary>
/// <param name="Options">The options.</param>
/// <param name="Dispatcher">The dispatcher of its requests.</param>
internal sealed record MiddlewareDispatcher(ResumableUploadOptions Options, UploadRequestDispatcher Dispatcher)
{
    /// <summary>Gets or sets the number of branches of the pipeline that have the middleware.</summary>
    public int Branches { get; set; }
}

using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>One set of options brought to life: checks, store, engine, and the work in the background, bound to the life of the app.</summary>
internal static class UploadRuntime
{
    /// <summary>
    /// The shared services of applications that call <c>Use...</c> or <c>Map...</c> without <c>AddResumableUploads()</c>. With it, the
    /// container has them.
    /// </summary>
    private static readonly ConditionalWeakTable<IServiceProvider, AppUploads> Apps = [];

    /// <summary>The endpoint for some options.</summary>
    /// <exception cref="OptionsValidationException">An option is wrong.</exception>
    /// <exception cref="InvalidOperationException">The store cannot be used.</exception>
    public static UploadEndpoint Start(IServiceProvider services, ResumableUploadOptions options, string uploadPath) =>
        Start(services, options, uploadPath, forEndpoints: false);

    /// <summary>The same for endpoints of the app, which take the place of <c>OnCompleted</c>.</summary>
    /// <exception cref="InvalidOperationException">The store cannot be used, or the endpoints' options have an <c>OnCompleted</c>.</exception>
    public static UploadEndpoint StartForEndpoints(IServiceProvider services, string optionsName, string name, Action<ResumableUploadOptions>? configure)
    {
        ResumableUploadOptions options = NewOptions(services, optionsName);
        options.OnCompleted = null;
        configure?.Invoke(options);
        return options.OnCompleted is null
            ? Start(services, options, name, forEndpoints: true)
            : throw new InvalidOperationException(
                $"OnCompleted is set in WithResumableUploads() for '{name}', and would not be called: the endpoint itself is. Do the work there.");
    }

    private static UploadEndpoint Start(IServiceProvider services, ResumableUploadOptions options, string name, bool forEndpoints)
    {
        ValidateOptionsResult valid = new ResumableUploadOptionsValidator().Validate(null, options);
        if (valid.Failed)
        {
            throw new OptionsValidationException("ResumableUploads", typeof(ResumableUploadOptions), valid.Failures);
        }

        if (services.GetService<IOptions<KestrelServerOptions>>() is { } kestrel)
        {
            RawHeaderEncoding.Install(kestrel.Value);
        }

        AppUploads app = services.GetService<AppUploads>() ?? Apps.GetValue(services, static services => AppUploads.CreateForLifetime(services));
        (TimeProvider time, ILogger logger) = (app.Time, app.Logger);
        IUploadStore store = options.Store ?? (options.IsFileSystemStoreRequired ? null : services.GetService<IUploadStore>()) ?? app.FileStore(options);
        app.CheckBeforeStart(store);
        var events = new UploadEventHandlers(options);
        var metrics = new UploadMetrics(services.GetService<IMeterFactory>());
        var engine = new UploadEngine(store, options.ToEngineSettings(app.EndpointName(name), forEndpoints || events.OnCompleted is not null), metrics, time, logger);
        if (forEndpoints)
        {
            Log.ReadyForEndpoints(logger, name, options.Expiration);
        }
        else
        {
            Log.Ready(logger, name, options.Expiration);
        }

        if (!forEndpoints && events.OnCompleted is null)
        {
            Log.NobodyTakesUploads(logger);
        }

        app.Run(engine, metrics, store, engine.CreateSweepVisitor(new UploadCallbacks(events, store, services, context: null)));
        return new UploadEndpoint(new UploadWork(options, events, engine, store, services, time, logger), app.Stopping);
    }

    /// <summary>Creates a separate instance of the options: from the container if <c>AddResumableUploads()</c> was called, otherwise the defaults.</summary>
    /// <exception cref="InvalidOperationException">No options have that name.</exception>
    public static ResumableUploadOptions NewOptions(IServiceProvider services, string optionsName) =>
        services.GetService<RegisteredOptions>() is { } registered ? registered.Create(services, optionsName)
        : optionsName.Length == 0 ? new ResumableUploadOptions()
        : throw new InvalidOperationException(
            $"No resumable upload options are named '{optionsName}'. Call builder.Services.AddResumableUploads(\"{optionsName}\").");
}

using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>One set of options brought to life: checks, store, engine, and the work in the background, bound to the life of the app.</summary>
internal static class UploadRuntime
{
    private static readonly ConditionalWeakTable<IServiceProvider, AppUploads> Apps = [];

    /// <summary>The endpoint for some options.</summary>
    /// <exception cref="OptionsValidationException">An option is wrong.</exception>
    /// <exception cref="InvalidOperationException">The store cannot be used.</exception>
    public static UploadEndpoint Start(IServiceProvider services, ResumableUploadOptions options, string uploadPath) =>
        Start(services, options, uploadPath, forEndpoints: false);

    /// <summary>The same for endpoints of the app, which take the place of <c>OnCompleted</c>.</summary>
    /// <exception cref="InvalidOperationException">The store cannot be used, or the endpoints' options have an <c>OnCompleted</c>.</exception>
    public static UploadEndpoint StartForEndpoints(IServiceProvider services, string name, Action<ResumableUploadOptions>? configure)
    {
        ResumableUploadOptions options = NewOptions(services);
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

        AppUploads app = Apps.GetValue(services, static services => new AppUploads(services));
        (TimeProvider time, ILogger logger) = (app.Time, app.Logger);
        IUploadStore store = options.Store ?? services.GetService<IUploadStore>() ?? app.FileStore(options);
        if (store.GetCapability<IChecksAtStart>() is { } check)
        {
            // An app is built synchronously, and has to fail before it listens.
            check.CheckAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        var metrics = new UploadMetrics(services.GetService<IMeterFactory>());
        var engine = new UploadEngine(store, options.ToEngineSettings(app.EndpointName(name), forEndpoints || options.OnCompleted is not null), metrics, time, logger);
        if (forEndpoints)
        {
            Log.ReadyForEndpoints(logger, name, options.Expiration);
        }
        else
        {
            Log.Ready(logger, name, options.Expiration);
        }

        if (!forEndpoints && options.OnCompleted is null)
        {
            Log.NobodyTakesUploads(logger);
        }

        IHostApplicationLifetime? lifetime = services.GetService<IHostApplicationLifetime>();
        if (lifetime is not null)
        {
            app.Sweep(store, engine.CreateSweepVisitor(new UploadCallbacks(options, store, services, context: null)), lifetime);
            lifetime.ApplicationStopping.Register(engine.Stop);
            lifetime.ApplicationStopped.Register(() =>
            {
                app.WaitForSweepers();
                engine.DisposeAsync().AsTask().GetAwaiter().GetResult();
                metrics.Dispose();
            });
        }

        return new UploadEndpoint(
            new UploadWork(options, engine, store, services, time, logger), lifetime?.ApplicationStopping ?? CancellationToken.None);
    }

    /// <summary>A set of options of one's own: from the configuration where <c>AddResumableUploads</c> was called, else the defaults.</summary>
    public static ResumableUploadOptions NewOptions(IServiceProvider services) =>
        services.GetService<ResumableUploadsMarker>() is not null
            ? services.GetRequiredService<IOptionsFactory<ResumableUploadOptions>>().Create(Options.DefaultName)
            : new ResumableUploadOptions();
}

/// <summary>Says that <c>AddResumableUploads</c> was called.</summary>
internal sealed class ResumableUploadsMarker;

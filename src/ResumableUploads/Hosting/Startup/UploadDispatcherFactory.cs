using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Startup;

/// <summary>One set of options brought to life: checks, store, engine, and the work in the background, bound to the life of the app.</summary>
internal static class UploadDispatcherFactory
{
    private static readonly ConditionalWeakTable<IServiceProvider, SharedUploadServices> SharedServices = [];

    /// <summary>The endpoint for some options.</summary>
    /// <exception cref="OptionsValidationException">An option is wrong.</exception>
    /// <exception cref="InvalidOperationException">The store cannot be used.</exception>
    public static UploadRequestDispatcher Create(IServiceProvider services, ResumableUploadOptions options, string uploadPath) =>
        Create(services, options, uploadPath, forEndpoints: false);

    /// <summary>The same for endpoints of the app, which take the place of <c>OnCompleted</c>.</summary>
    /// <exception cref="InvalidOperationException">The store cannot be used, or the endpoints' options have an <c>OnCompleted</c>.</exception>
    public static UploadRequestDispatcher CreateForEndpoints(IServiceProvider services, string name, Action<ResumableUploadOptions>? configure)
    {
        ResumableUploadOptions options = CreateOptions(services);
        options.OnCompleted = null;
        configure?.Invoke(options);
        return options.OnCompleted is null
            ? Create(services, options, name, forEndpoints: true)
            : throw new InvalidOperationException(
                $"OnCompleted is set in WithResumableUploads() for '{name}', and would not be called: the endpoint itself is. Do the work there.");
    }

    private static UploadRequestDispatcher Create(IServiceProvider services, ResumableUploadOptions options, string name, bool forEndpoints)
    {
        ValidateOptionsResult valid = new ResumableUploadOptionsValidator().Validate(null, options);
        if (valid.Failed)
        {
            throw new OptionsValidationException("ResumableUploads", typeof(ResumableUploadOptions), valid.Failures);
        }

        if (services.GetService<IOptions<KestrelServerOptions>>() is { } kestrel)
        {
            Latin1HeaderEncodingSelector.Install(kestrel.Value);
        }

        SharedUploadServices shared = SharedServices.GetValue(services, static services => new SharedUploadServices(services));
        (TimeProvider time, ILogger logger) = (shared.Time, shared.Logger);
        IUploadStore store = options.Store ?? services.GetService<IUploadStore>() ?? shared.GetFileSystemStore(options);
        if (store.GetCapability<IStoreStartupCheck>() is { } check)
        {
            // An app is built synchronously, and has to fail before it listens.
            check.CheckAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        var metrics = new UploadMetrics(services.GetService<IMeterFactory>());
        var engine = new UploadEngine(store, options.ToEngineSettings(shared.GetUniqueName(name), forEndpoints || options.OnCompleted is not null), metrics, time, logger);
        if (forEndpoints)
        {
            Log.StartedForEndpoints(logger, name, options.Expiration);
        }
        else
        {
            Log.Started(logger, name, options.Expiration);
        }

        if (!forEndpoints && options.OnCompleted is null)
        {
            Log.OnCompletedNotSet(logger);
        }

        IHostApplicationLifetime? lifetime = services.GetService<IHostApplicationLifetime>();
        if (lifetime is not null)
        {
            shared.AddToSweeper(store, engine.CreateSweepVisitor(new EventUploadCallbacks(options, store, services, context: null)), lifetime);
            lifetime.ApplicationStopping.Register(engine.Stop);
            lifetime.ApplicationStopped.Register(() =>
            {
                shared.WaitForSweepers();
                engine.DisposeAsync().AsTask().GetAwaiter().GetResult();
                metrics.Dispose();
            });
        }

        return new UploadRequestDispatcher(
            new UploadRequestServices(options, engine, store, services, time, logger), lifetime?.ApplicationStopping ?? CancellationToken.None);
    }

    /// <summary>A set of options of one's own: from the configuration where <c>AddResumableUploads</c> was called, else the defaults.</summary>
    public static ResumableUploadOptions CreateOptions(IServiceProvider services) =>
        services.GetService<ResumableUploadsMarkerService>() is not null
            ? services.GetRequiredService<IOptionsFactory<ResumableUploadOptions>>().Create(Microsoft.Extensions.Options.Options.DefaultName)
            : new ResumableUploadOptions();
}

/// <summary>Says that <c>AddResumableUploads</c> was called.</summary>
internal sealed class ResumableUploadsMarkerService;

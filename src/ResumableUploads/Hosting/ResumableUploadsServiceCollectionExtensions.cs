using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using ResumableUploads;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Startup;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what resumable uploads need to an app's services.</summary>
public static class ResumableUploadsServiceCollectionExtensions
{
    /// <summary>
    /// Reads <see cref="ResumableUploadOptions"/> from the configuration section <c>ResumableUploads</c>, and checks them at start. May be
    /// called more than once.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the options after the configuration was read.</param>
    public static IServiceCollection AddResumableUploads(this IServiceCollection services, Action<ResumableUploadOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        OptionsBuilder<ResumableUploadOptions> options = services.AddOptions<ResumableUploadOptions>();
        if (!services.Any(static service => service.ServiceType == typeof(ResumableUploadsMarkerService)))
        {
            services.AddSingleton<ResumableUploadsMarkerService>();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ResumableUploadOptions>, ResumableUploadOptionsValidator>());
            services.PostConfigure<KestrelServerOptions>(Latin1HeaderEncodingSelector.Install);
            options.BindConfiguration("ResumableUploads").ValidateOnStart();
            services.AddRouting();
            services.AddSingleton<ResumableEndpointRegistry>();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ChunkEndpointMatcherPolicy>());
            services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ChunkEndpointSelectorPolicy>());
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, OriginalBodyStartupFilter>());
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, ResumableEndpointStartupFilter>());
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, MethodOverrideStartupFilter>());
        }

        if (configure is not null)
        {
            options.Configure(configure);
        }

        return services;
    }
}

using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using ResumableUploads.Hosting.Endpoints.Routing.Chunks;
using ResumableUploads.Hosting.Options.Validation;
using ResumableUploads;
using ResumableUploads.Hosting;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Management;
using ResumableUploads.Hosting.Options;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Hosting.Tickets;
using ResumableUploads.Hosting.Tickets.Routing;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds resumable uploads to the services of an application.</summary>
public static class ResumableUploadsServiceCollectionExtensions
{
    /// <summary>
    /// Adds resumable uploads. The default options are read from the configuration section <c>ResumableUploads</c> and validated at start; a
    /// key in the section that no option has is an error. Can be called more than once.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <returns>A builder for the store and the events of the default options.</returns>
    public static IResumableUploadsBuilder AddResumableUploads(this IServiceCollection services) => services.Add(RegisteredOptions.DefaultName, null);

    /// <summary>
    /// Adds resumable uploads and configures the default options. They are read from the configuration section <c>ResumableUploads</c>
    /// first, and validated at start. Can be called more than once; the delegates run in order.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Configures the options after the configuration was read.</param>
    /// <returns>A builder for the store and the events of the default options.</returns>
    public static IResumableUploadsBuilder AddResumableUploads(this IServiceCollection services, Action<ResumableUploadOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.Add(RegisteredOptions.DefaultName, configure);
    }

    /// <summary>
    /// Adds resumable uploads with named options, for applications whose endpoints need different options. They are read from the
    /// configuration section <c>ResumableUploads:Endpoints:{name}</c> and validated at start. They do not inherit from the default options.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">
    /// The name, as passed to <c>MapResumableUploads</c>, <c>UseResumableUploads</c>, <c>WithResumableUploads</c> or
    /// <see cref="ResumableUploadAttribute.OptionsName"/>.
    /// </param>
    /// <returns>A builder for the store and the events of the named options.</returns>
    public static IResumableUploadsBuilder AddResumableUploads(this IServiceCollection services, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return services.Add(name, null);
    }

    /// <summary>
    /// Adds resumable uploads with named options and configures them. They are read from the configuration section
    /// <c>ResumableUploads:Endpoints:{name}</c> first, and validated at start. They do not inherit from the default options.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">
    /// The name, as passed to <c>MapResumableUploads</c>, <c>UseResumableUploads</c>, <c>WithResumableUploads</c> or
    /// <see cref="ResumableUploadAttribute.OptionsName"/>.
    /// </param>
    /// <param name="configure">Configures the options after the configuration was read.</param>
    /// <returns>A builder for the store and the events of the named options.</returns>
    public static IResumableUploadsBuilder AddResumableUploads(this IServiceCollection services, string name, Action<ResumableUploadOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(configure);
        return services.Add(name, configure);
    }

    private static ResumableUploadsBuilder Add(this IServiceCollection services, string name, Action<ResumableUploadOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        RegisteredOptions registered = services.AddCore();
        OptionsBuilder<ResumableUploadOptions> options = services.AddOptions<ResumableUploadOptions>(name);
        if (registered.Add(name))
        {
            options.BindConfiguration(OptionKeys.SectionOf(name)).ValidateOnStart();
        }

        if (configure is not null)
        {
            options.Configure(configure);
        }

        return new ResumableUploadsBuilder(services, name);
    }

    /// <summary>Adds what all options share, once. The default options always exist: their section is validated in any case.</summary>
    private static RegisteredOptions AddCore(this IServiceCollection services)
    {
        if (services.FirstOrDefault(static service => service.ServiceType == typeof(RegisteredOptions))?.ImplementationInstance is RegisteredOptions known)
        {
            return known;
        }

        var registered = new RegisteredOptions();
        services.AddSingleton(registered);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ResumableUploadOptions>, ResumableUploadOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ResumableUploadOptions>, ConfigurationKeyValidator>());
        services.PostConfigure<KestrelServerOptions>(HeaderEncodingSelector.Install);
        services.AddRouting();
        services.AddSingleton<SharedUploadServices>();
        services.AddHostedService<ResumableUploadsHostedService>();
        services.TryAddSingleton<IUploadManager, UploadManager>();
        services.TryAddSingleton<IUploadTickets, UploadTickets>();
        services.AddSingleton<ResumableEndpointRegistry>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ChunkEndpointMatcherPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ChunkEndpointSelectorPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, TicketEndpointPolicy>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, OriginalBodyStartupFilter>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, ResumableEndpointStartupFilter>());
        services.Add(RegisteredOptions.DefaultName, null);
        return registered;
    }
}

using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResumableUploads;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a store and events to resumable uploads.</summary>
public static class ResumableUploadsBuilderExtensions
{
    /// <summary>
    /// Keeps uploads in a directory. This store is also the default if no <see cref="IUploadStore"/> service is registered. Replaces a
    /// store that was chosen before.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="directory">The directory. A relative path is relative to the content root.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty.</exception>
    public static IResumableUploadsBuilder UseFileSystemStore(this IResumableUploadsBuilder builder, string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        return builder.UseFileSystemStore(options => options.Directory = directory);
    }

    /// <summary>Keeps uploads in a directory. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">
    /// Configures the store. It starts with the values of <see cref="ResumableUploadOptions.Directory"/> and
    /// <see cref="ResumableUploadOptions.FileSystem"/>, and they are set to its result.
    /// </param>
    /// <returns>The builder.</returns>
    public static IResumableUploadsBuilder UseFileSystemStore(this IResumableUploadsBuilder builder, Action<FileSystemUploadStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.Configure<ResumableUploadOptions>(builder.Name, options =>
        {
            var store = new FileSystemUploadStoreOptions
            {
                Directory = options.Directory ?? "",
                Durability = options.FileSystem.Durability,
                SyncSize = options.FileSystem.SyncSize,
                SyncInterval = options.FileSystem.SyncInterval,
                MaxThreads = options.FileSystem.MaxThreads,
            };
            configure(store);
            options.Directory = store.Directory.Length > 0 ? store.Directory : null;
            options.FileSystem.Durability = store.Durability;
            options.FileSystem.SyncSize = store.SyncSize;
            options.FileSystem.SyncInterval = store.SyncInterval;
            options.FileSystem.MaxThreads = store.MaxThreads;
            options.Store = null;
            options.IsFileSystemStoreRequired = true;
        });
        return builder;
    }

    /// <summary>
    /// Keeps uploads in memory, for tests and for small uploads that may be lost when the process ends. Replaces a store that was chosen
    /// before.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="maxTotalSize">The maximum total size of all uploads, in bytes. Defaults to 256 MiB.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxTotalSize"/> is not positive.</exception>
    public static IResumableUploadsBuilder UseMemoryStore(this IResumableUploadsBuilder builder, long maxTotalSize = 256L << 20)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTotalSize);
        return builder.UseStore(_ => new MemoryUploadStore(maxTotalSize));
    }

    /// <summary>
    /// Keeps uploads in a store that the container creates once, as a singleton of these options. Replaces a store that was chosen before.
    /// </summary>
    /// <typeparam name="TStore">The type of the store. Its constructor parameters are resolved from the container.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    /// <remarks>To share one store between all options, register it as an <see cref="IUploadStore"/> service instead.</remarks>
    public static IResumableUploadsBuilder UseStore<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TStore>(
        this IResumableUploadsBuilder builder)
        where TStore : class, IUploadStore =>
        builder.UseStore(static services => ActivatorUtilities.CreateInstance<TStore>(services));

    /// <summary>
    /// Keeps uploads in a store that a delegate creates once, when the options are first used, as a singleton of these options. Replaces a store that was chosen before.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="create">Creates the store. Its argument is the service provider of the app. The container disposes the store.</param>
    /// <returns>The builder.</returns>
    /// <remarks>To share one store between all options, register it as an <see cref="IUploadStore"/> service instead.</remarks>
    /// <example><code>services.AddResumableUploads().UseStore(services => new MyStore(services.GetRequiredService&lt;MyDatabase&gt;()));</code></example>
    public static IResumableUploadsBuilder UseStore(this IResumableUploadsBuilder builder, Func<IServiceProvider, IUploadStore> create)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(create);
        var key = new StoreKey(builder.Name);
        builder.Services.RemoveAllKeyed<IUploadStore>(key);
        builder.Services.AddKeyedSingleton(key, (services, _) => create(services));
        builder.Services.AddOptions<ResumableUploadOptions>(builder.Name)
            .Configure<IServiceProvider>((options, services) => options.Store = services.GetRequiredKeyedService<IUploadStore>(key));
        return builder;
    }

    /// <summary>
    /// Calls the methods of <typeparamref name="TEvents"/> for the uploads of these options. Several event classes are called in the order
    /// in which they were added, and before the delegates of <see cref="ResumableUploadOptions"/>.
    /// </summary>
    /// <typeparam name="TEvents">The type of the event class. It is added as a scoped service if it is not registered yet.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IResumableUploadsBuilder AddEvents<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods)] TEvents>(
        this IResumableUploadsBuilder builder)
        where TEvents : ResumableUploadEvents
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddScoped<TEvents>();
        var registration = EventsRegistration.Of<TEvents>();
        builder.Services.Configure<ResumableUploadOptions>(builder.Name, options => options.Events.Add(registration));
        return builder;
    }

    /// <summary>Identifies the store of one set of options in the container.</summary>
    private sealed record StoreKey(string OptionsName);
}

using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>Sets up an app with a file-system store that the test can observe.</summary>
/// <param name="configure">Configures the options first.</param>
/// <param name="time">The clock of the app and of the store, or null for that of the system.</param>
internal sealed class WatchedStoreSetup(Action<ResumableUploadOptions>? configure, TimeProvider? time)
{
    private WatchedStore? _store;

    /// <summary>Gets the store after the app has started.</summary>
    public WatchedStore Store => _store!;

    /// <summary>Sets the store of the options. All options of the app share it.</summary>
    public void Configure(ResumableUploadOptions options)
    {
        options.FileSystem.Durability = Durability.ProcessCrash;
        configure?.Invoke(options);
        options.Store = _store ??= new WatchedStore(new FileSystemUploadStore(
            new FileSystemUploadStoreOptions { Directory = options.Directory!, Durability = options.FileSystem.Durability }, time));
    }

    public void AddClock(WebApplicationBuilder builder)
    {
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }
    }
}

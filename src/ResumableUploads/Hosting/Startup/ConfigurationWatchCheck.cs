using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// A host that reads its settings again when their files change watches each directory below them, also those of uploads: at start it goes through all
/// of them, and on Linux each takes one of the user's inotify watches.
/// </summary>
internal static class ConfigurationWatchCheck
{
    /// <summary>Warns when a directory is watched in that way.</summary>
    public static void WarnIfWatched(IServiceProvider services, string directory, ILogger logger)
    {
        string place = Path.TrimEndingDirectorySeparator(directory) + Path.DirectorySeparatorChar;
        foreach (IConfigurationProvider provider in (services.GetService<IConfiguration>() as IConfigurationRoot)?.Providers ?? [])
        {
            if (provider is FileConfigurationProvider { Source: { ReloadOnChange: true, FileProvider: PhysicalFileProvider files, Path: { } file } }
                && place.StartsWith(files.Root, StringComparison.Ordinal))
            {
                Log.UploadDirectoryWatched(logger, directory, file);
                return;
            }
        }
    }
}

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using ResumableUploads.Hosting.Options;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Detects that the host watches the directory of the uploads. A host that reloads its configuration files watches every directory below the content
/// root: it enumerates them at start, and on Linux each uses one of the user's inotify watches.
/// </summary>
internal static class ConfigurationWatchCheck
{
    /// <summary>Logs a warning if a directory is watched.</summary>
    public static void WarnIfWatched(IServiceProvider services, string directory, ILogger logger)
    {
        string path = Path.TrimEndingDirectorySeparator(directory) + Path.DirectorySeparatorChar;
        foreach (IConfigurationProvider provider in (services.GetService<IConfiguration>() as IConfigurationRoot)?.Providers ?? [])
        {
            if (provider is FileConfigurationProvider { Source: { ReloadOnChange: true, FileProvider: PhysicalFileProvider files, Path: { } file } }
                && path.StartsWith(files.Root, StringComparison.Ordinal))
            {
                // The configuration is read only by AddResumableUploads().
                string option = services.GetService<RegisteredOptions>() is null ? "options.Directory" : "ResumableUploads:Directory";
                Log.UploadDirectoryWatched(logger, directory, file, option);
                return;
            }
        }
    }
}

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Hosting.Startup;

/// <summary>Resolves paths of the application: all relative paths, of the store and of moved content, are relative to the content root.</summary>
internal static class ContentRoot
{
    /// <summary>Returns whether a path is written for Windows, on another operating system. There it would be a name with backslashes.</summary>
    public static bool IsPathOfOtherSystem(string path) =>
        !OperatingSystem.IsWindows()
        && (path.Contains('\\', StringComparison.Ordinal) || (path.Length >= 2 && path[1] == ':' && char.IsAsciiLetter(path[0]) && (path.Length == 2 || path[2] == '/')));

    /// <summary>Returns the full path of a file or directory.</summary>
    /// <exception cref="ArgumentException">The path is a path of Windows, on another operating system.</exception>
    public static string GetFullPath(IServiceProvider services, string path) =>
        IsPathOfOtherSystem(path)
            ? throw new ArgumentException($"'{path}' is a Windows path. This system does not have drives, and separates directories by '/'.", nameof(path))
            : Path.GetFullPath(path, Get(services));

    /// <summary>
    /// Returns the directory of the uploads of an application that does not set one: next to the content root, because a host that reloads its configuration
    /// watches every directory below it. It is below the content root if an earlier version has left uploads there, or if it cannot be created next to it.
    /// </summary>
    public static string GetDefaultUploadDirectory(IServiceProvider services)
    {
        string root = Path.TrimEndingDirectorySeparator(Get(services));
        string below = Path.Combine(root, "uploads");
        string nextTo = root + "-uploads";
        if (Path.GetDirectoryName(root) is null || Directory.Exists(Path.Combine(below, "uploads")))
        {
            return below;
        }

        try
        {
            FileLayer.Default.CreateDirectory(nextTo);
            return nextTo;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return below;
        }
    }

    private static string Get(IServiceProvider services) =>
        services.GetService<IHostEnvironment>()?.ContentRootPath ?? Directory.GetCurrentDirectory();
}

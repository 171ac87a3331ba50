using System.Runtime.CompilerServices;

namespace ResumableUploads.UnitTests;

internal static class TestEnvironment
{
    /// <summary>
    /// Lets hosts poll their configuration files. The tests create many hosts, and each would use one of the 128 inotify instances that Linux allows a user.
    /// </summary>
    [ModuleInitializer]
    internal static void UsePollingFileWatchers() => Environment.SetEnvironmentVariable("DOTNET_USE_POLLING_FILE_WATCHER", "1");
}

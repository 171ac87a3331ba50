using ResumableUploads.FaultTests.Soak;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace ResumableUploads.FaultTests;

/// <summary>Runs the tests like the generated xunit entry point, or the soak with the argument <c>soak</c>.</summary>
internal static class EntryPoint
{
    public static Task<int> Main(string[] args) =>
        args is ["soak", .. string[] soak] ? SoakCommand.RunAsync(soak)
        : args.Any(static arg => arg is "--server" or "--internal-msbuild-node") ? TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
        : Task.Run(() => ConsoleRunner.Run(args));
}

using ResumableUploads.FaultTests.Soak;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace ResumableUploads.FaultTests;

/// <summary>Runs the tests, as the entry point that xunit would have made; or, as <c>soak</c>, the soak for as long as is asked.</summary>
internal static class EntryPoint
{
    public static Task<int> Main(string[] args) =>
        args is ["soak", .. string[] soak] ? SoakCommand.RunAsync(soak)
        : args.Any(static arg => arg is "--server" or "--internal-msbuild-node") ? TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
        : Task.Run(() => ConsoleRunner.Run(args));
}

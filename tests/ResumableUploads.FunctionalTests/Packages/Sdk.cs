using System.Diagnostics;

namespace ResumableUploads.FunctionalTests.Packages;

/// <summary>Runs commands of the .NET SDK and of git outside of the repository.</summary>
internal static class Sdk
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    /// <summary>Runs a command, and fails with its output unless it succeeds.</summary>
    public static Task RunAsync(string directory, string command, params string[] arguments) => RunAsync(directory, null, command, arguments);

    /// <summary>Runs a command with a NuGet cache of its own, and fails with its output unless it succeeds.</summary>
    public static async Task RunAsync(string directory, DirectoryInfo? packageCache, string command, string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["CI"] = "true",
                ["DOTNET_NOLOGO"] = "true",
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "true",

                // No process may outlive the test.
                ["MSBUILDDISABLENODEREUSE"] = "1",
                ["UseSharedCompilation"] = "false",
            },
        };
        if (packageCache is not null)
        {
            start.Environment["NUGET_PACKAGES"] = packageCache.FullName;
        }

        using Process process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(Timeout);
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(timeout.Token);
            string output = await process.StandardOutput.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            Assert.True(process.ExitCode == 0, $"{command} {string.Join(' ', arguments)}\n{output}\n{await errors}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}

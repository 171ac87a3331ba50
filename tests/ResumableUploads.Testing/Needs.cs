using System.Diagnostics;

namespace ResumableUploads.Testing;

/// <summary>
/// What a test needs of the machine. Where it is missing the test is skipped and says why; where the environment variable CI is true it
/// fails, because there everything is installed.
/// </summary>
internal static class Needs
{
    public static async Task StraceAsync()
    {
        Require(OperatingSystem.IsLinux(), "strace is for Linux.");
        int? exit = await RunAsync("strace", "-f", "-e", "trace=none", "true");
        Require(exit == 0, exit is null ? "strace is not installed." : "strace is not allowed to trace here (ptrace).");
    }

    /// <summary>The exit code of a command, or null where there is no such command.</summary>
    public static async Task<int?> RunAsync(string command, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            await Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    public static void Require(bool isThere, string missing)
    {
        if (!isThere)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{missing} On CI it has to be there.");
            Assert.Skip(missing);
        }
    }
}

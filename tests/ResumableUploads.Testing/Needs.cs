using System.Diagnostics;

namespace ResumableUploads.Testing;

/// <summary>
/// Checks what a test requires of the machine. If it is missing, the test is skipped with the reason. If the environment variable CI is
/// true, the test fails instead.
/// </summary>
internal static class Needs
{
    public static async Task StraceAsync()
    {
        Require(OperatingSystem.IsLinux(), "strace requires Linux.");
        int? exit = await RunAsync("strace", "-f", "-e", "trace=none", "true");
        Require(exit == 0, exit is null ? "strace is not installed." : "strace is not allowed to trace here (ptrace).");
    }

    /// <summary>Runs a command and returns its exit code, or <see langword="null"/> if the command is not installed.</summary>
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

    public static void Require(bool isAvailable, string missing)
    {
        if (!isAvailable)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{missing} It is required on CI.");
            Assert.Skip(missing);
        }
    }
}

using System.Diagnostics;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>A fixed version of <c>@tus/server</c> for Node. It is installed next to this program on first use.</summary>
internal static class TusNodeServer
{
    private static readonly TimeSpan InstallTimeout = TimeSpan.FromMinutes(3);
    private static readonly string s_directory = Path.Combine(AppContext.BaseDirectory, "tus-node");
    private static readonly Lazy<string?> s_unavailableReason = new(Install);

    /// <summary>The reason why the server cannot be started, or <see langword="null"/>.</summary>
    public static string? UnavailableReason => s_unavailableReason.Value;

    public static ProcessStartInfo StartInfo(string directory) => new("node", [Path.Combine(s_directory, "server.mjs"), directory]);

    private static string? Install()
    {
        if (Directory.Exists(Path.Combine(s_directory, "node_modules", "@tus", "server")))
        {
            return null;
        }

        try
        {
            using Process npm = Process.Start(new ProcessStartInfo("npm", ["ci"])
            {
                WorkingDirectory = s_directory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            Task<string> output = npm.StandardOutput.ReadToEndAsync();
            Task<string> error = npm.StandardError.ReadToEndAsync();
            if (!npm.WaitForExit(InstallTimeout))
            {
                npm.Kill(entireProcessTree: true);
                return "npm ci timed out";
            }

            Task.WaitAll(output, error);
            return npm.ExitCode == 0 ? null : $"npm ci failed with exit code {npm.ExitCode}";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "npm is not installed";
        }
    }
}
